//! Replies that come later: a command makes a block in shared memory and
//! returns; whichever process has the answer adds it to the block's context and
//! closes that.
//!
//! A block holds nothing of one process's memory. The reply is a tree in the
//! memory of the process that adds to it first, found by the block's number.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use kamailio_core::message::SharedMessage;
use kamailio_core::{log_limited, panic, sys};
use rpc_wire::value::Params;

use crate::answer::{Answer, RespondLater, Responder};
use crate::buffers::Buffers;
use crate::call::{Call, Delay, Parts};
use crate::context::Context;
use crate::policy::{MaxReply, Policy};

/// A reply that is to come, in shared memory.
///
/// # Invariants
/// `note_len` bytes follow it in the same allocation. `message` is there until
/// the block is closed, which happens once, and only the process that closes it
/// touches it. The block is freed with the last of its references: one is the
/// command's as long as it runs, one is given up by closing.
#[repr(C)]
pub(crate) struct Block {
    /// What the command gets; it leads to `context`.
    rpc: sys::rpc_delayed_ctx,
    context: Context,
    /// Tells it from blocks that were at the same address before.
    number: u64,
    references: AtomicU32,
    closed: AtomicBool,
    policy: &'static Policy,
    max_reply: MaxReply,
    returns_array: bool,
    respond: RespondLater,
    message: ManuallyDrop<SharedMessage>,
    note_len: usize,
}

impl Block {
    /// Makes a block; none if shared memory has no room for it.
    pub(crate) fn new(delay: Delay) -> Option<NonNull<Block>> {
        let note = &delay.later.note;
        let size = size_of::<Block>() + note.len();
        // SAFETY: the core's allocator gives this many bytes, aligned for any
        // of C's types, or null.
        let memory = unsafe { sys::ksrrs_shm_malloc(size) };
        let Some(block) = NonNull::new(memory.cast::<Block>()) else {
            log_limited!(Error, "no shared memory for a reply that comes later");
            return None;
        };
        // INVARIANT: the note follows; both references are there.
        let content = Block {
            rpc: sys::rpc_delayed_ctx {
                // SAFETY: the table is constant.
                rpc: unsafe { sys::ksrrs_rpc_table },
                // SAFETY: a field of the block's own memory.
                reply_ctx: unsafe { &raw mut (*block.as_ptr()).context }.cast(),
            },
            context: Context::Delayed(block),
            number: next_number(),
            references: AtomicU32::new(2),
            closed: AtomicBool::new(false),
            policy: delay.policy,
            max_reply: delay.max_reply,
            returns_array: delay.returns_array,
            respond: delay.later.respond,
            note_len: note.len(),
            message: ManuallyDrop::new(delay.later.message),
        };
        // SAFETY: fresh memory of this size, for the block and the note behind.
        unsafe {
            block.write(content);
            let tail = block.add(1).cast::<u8>();
            tail.copy_from_nonoverlapping(NonNull::from(note.as_slice()).cast(), note.len());
        }
        Some(block)
    }

    /// What the command gets.
    ///
    /// # Safety
    /// The block is not freed.
    pub(crate) unsafe fn for_command(block: NonNull<Block>) -> *mut c_void {
        // SAFETY: the caller vouches for the block.
        unsafe { &raw mut (*block.as_ptr()).rpc }.cast()
    }

    /// The call in this process that fills the reply; null after it was closed.
    ///
    /// # Safety
    /// The block is not freed.
    pub(crate) unsafe fn call(block: NonNull<Block>) -> *mut c_void {
        // SAFETY: the caller vouches for the block.
        let content = unsafe { block.as_ref() };
        if content.closed.load(Ordering::Acquire) {
            log_limited!(Bug, "a command adds to a reply that it has closed");
            return null_mut();
        }
        FILLING.with_borrow_mut(|all| {
            let found = all.iter().position(|one| one.number == content.number);
            let index = found.unwrap_or_else(|| {
                all.push(Filling::start(block, content));
                all.len() - 1
            });
            all[index].call.cast()
        })
    }

    /// Sends the reply if that has not been done, and frees what it took.
    ///
    /// # Safety
    /// `delayed` is null or was made by [`Block::for_command`] and is not freed.
    pub(crate) unsafe fn close(delayed: *mut c_void) {
        // SAFETY: the caller vouches for the pointer.
        let delayed = unsafe { delayed.cast::<sys::rpc_delayed_ctx>().as_ref() };
        let context = delayed.map_or(null_mut(), |delayed| delayed.reply_ctx);
        // SAFETY: it leads to the block's own context.
        let Some(&Context::Delayed(block)) = (unsafe { context.cast::<Context>().as_ref() }) else {
            log_limited!(Bug, "a command closes a reply that it has not opened");
            return;
        };
        // SAFETY: this process closes the block, or finds that it is closed.
        unsafe {
            let call = Block::call(block);
            if call.is_null() || (*block.as_ptr()).closed.swap(true, Ordering::AcqRel) {
                return;
            }
            Filling::finish(block.as_ref().number);
            // Nobody else touches the message any more.
            ManuallyDrop::drop(&mut (*block.as_ptr()).message);
            Block::release(block);
        }
    }

    /// Gives up one of the two references.
    ///
    /// # Safety
    /// The caller has one, and does not use the block any more.
    pub(crate) unsafe fn release(block: NonNull<Block>) {
        // SAFETY: the caller's reference.
        let before = unsafe { block.as_ref() }
            .references
            .fetch_sub(1, Ordering::AcqRel);
        if before == 1 {
            // SAFETY: that was the last one; nothing in the block is dropped
            // with it, for the message went when it was closed.
            unsafe { sys::ksrrs_shm_free(block.as_ptr().cast()) };
        }
    }

    /// What was noted about the request.
    fn note(&self) -> &[u8] {
        let tail = std::ptr::from_ref(self).wrapping_add(1).cast();
        // SAFETY: the invariants.
        unsafe { std::slice::from_raw_parts(tail, self.note_len) }
    }
}

/// A number that no other block has: processes have numbers of their own.
fn next_number() -> u64 {
    thread_local! {
        static LAST: Cell<u32> = const { Cell::new(0) };
    }
    let number = LAST.get().wrapping_add(1);
    LAST.set(number);
    u64::from(std::process::id()) << 32 | u64::from(number)
}

thread_local! {
    /// The replies that this process fills. A process has one thread.
    static FILLING: RefCell<Vec<Filling>> = const { RefCell::new(Vec::new()) };
}

/// A reply that this process fills.
///
/// # Invariants
/// Both pointers come from boxes that are freed with it; the call borrows from
/// the parts and goes first.
struct Filling {
    number: u64,
    call: *mut Call<'static>,
    owned: *mut Owned,
}

/// What a call borrows from an engine where there is one.
struct Owned {
    params: Params,
    buffers: Buffers,
    client: LaterClient,
}

impl Filling {
    fn start(block: NonNull<Block>, content: &Block) -> Self {
        let owned = Box::into_raw(Box::new(Owned {
            params: Params::new(),
            buffers: Buffers::new(content.max_reply.bytes()),
            client: LaterClient(block),
        }));
        // SAFETY: it lives until `Filling` is dropped, which drops the call
        // before.
        let lent = unsafe { &mut *owned };
        let call = Call::new(Parts {
            policy: content.policy,
            max_reply: content.max_reply,
            returns_array: content.returns_array,
            params: &mut lent.params,
            buffers: &mut lent.buffers,
            responder: &mut lent.client,
        });
        Filling {
            number: content.number,
            call: Box::into_raw(Box::new(call)),
            owned,
        }
    }

    /// Sends the reply of this number unless it was sent.
    fn finish(number: u64) {
        let found = FILLING.with_borrow_mut(|all| {
            let index = all.iter().position(|one| one.number == number)?;
            Some(all.swap_remove(index))
        });
        let Some(filling) = found else { return };
        let complaints = panic::stop(None, || {
            // SAFETY: nobody adds to it any more.
            Some(unsafe { &mut *filling.call }.finish())
        });
        let complaints = complaints.unwrap_or_else(|| {
            panic::stop((), || {
                // SAFETY: the reference above has ended with the panic.
                unsafe { &mut *filling.call }.answer_anew();
            });
            Vec::new()
        });
        for complaint in complaints {
            log_limited!(Warning, "a command that replied later: {complaint}");
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        // SAFETY: the invariants.
        unsafe {
            drop(Box::from_raw(self.call));
            drop(Box::from_raw(self.owned));
        }
    }
}

/// Who gets the reply: whoever sent the message in the block.
struct LaterClient(NonNull<Block>);

impl Responder for LaterClient {
    fn respond(&mut self, answer: Answer<'_>) {
        // SAFETY: the block is open, or is being closed by this process: its
        // message is there, and nobody else uses it.
        unsafe {
            let (note, respond) = {
                let block = self.0.as_ref();
                (block.note().to_vec(), block.respond)
            };
            let message = &mut (*self.0.as_ptr()).message;
            respond(&mut message.message(), &note, answer);
        }
    }
}
