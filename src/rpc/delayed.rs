//! Replies that come later. A command makes a block in shared memory and returns.
//! Whichever process has the answer adds it to the block's context and closes the
//! block.
//!
//! A block holds no address of one process's memory. The reply is a tree in the memory
//! of the process that adds to it first, which finds it by the block's number.

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
use crate::context::Context;
use crate::invocation::{Delay, Invocation, Parts};
use crate::policy::{MaxReply, Policy};

/// A later reply, in shared memory.
///
/// # Invariants
/// `note_len` bytes follow it in the same allocation. `message` is there until the
/// block is closed, which happens once, and only the process that closes the block
/// touches it. The block is freed with the last of its two references: one is the
/// command's as long as it runs, the other is given up by closing.
#[repr(C)]
pub(crate) struct Block {
    /// The structure that the command gets. It leads to `context`.
    rpc: sys::rpc_delayed_ctx,
    context: Context,
    /// A number that distinguishes the block from earlier blocks at the same address.
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
    /// Makes a block. It returns `None` if there is no shared memory for it.
    pub(crate) fn new(delay: Delay) -> Option<NonNull<Block>> {
        let note = &delay.later.note;
        let size = size_of::<Block>() + note.len();
        // SAFETY: the core's allocator returns null, or memory of this size that is
        // aligned for any of C's types.
        let memory = unsafe { sys::ksrrs_shm_malloc(size) };
        let Some(block) = NonNull::new(memory.cast::<Block>()) else {
            log_limited!(Error, "no shared memory for a reply that comes later");
            return None;
        };
        // INVARIANT: the note is appended below, and both references are counted.
        let content = Block {
            rpc: sys::rpc_delayed_ctx {
                // SAFETY: the table is a constant.
                rpc: unsafe { sys::ksrrs_rpc_table },
                // SAFETY: the address of a field in the block's own memory is taken.
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
        // SAFETY: the memory is new, and its size is that of the block and of the note
        // behind it.
        unsafe {
            block.write(content);
            let tail = block.add(1).cast::<u8>();
            tail.copy_from_nonoverlapping(NonNull::from(note.as_slice()).cast(), note.len());
        }
        Some(block)
    }

    /// The pointer that the command gets.
    ///
    /// # Safety
    /// The block is not freed.
    pub(crate) unsafe fn for_command(block: NonNull<Block>) -> *mut c_void {
        // SAFETY: the caller vouches for the block.
        unsafe { &raw mut (*block.as_ptr()).rpc }.cast()
    }

    /// The call in this process that fills the reply, or null after it was closed.
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

    /// Sends the reply if that has not been done, and releases what belongs to it.
    ///
    /// # Safety
    /// `delayed` is null, or it was returned by [`Block::for_command`] and its block is
    /// not freed.
    pub(crate) unsafe fn close(delayed: *mut c_void) {
        // SAFETY: the caller vouches for the pointer.
        let delayed = unsafe { delayed.cast::<sys::rpc_delayed_ctx>().as_ref() };
        let context = delayed.map_or(null_mut(), |delayed| delayed.reply_ctx);
        // SAFETY: the pointer leads to the block's own context.
        let Some(&Context::Delayed(block)) = (unsafe { context.cast::<Context>().as_ref() }) else {
            log_limited!(Bug, "a command closes a reply that it has not opened");
            return;
        };
        // SAFETY: this process closes the block, or finds it closed already.
        unsafe {
            let call = Block::call(block);
            if call.is_null() || (*block.as_ptr()).closed.swap(true, Ordering::AcqRel) {
                return;
            }
            Filling::finish(block.as_ref().number);
            // Nothing else uses the message any more.
            ManuallyDrop::drop(&mut (*block.as_ptr()).message);
            Block::release(block);
        }
    }

    /// Gives up one of the two references.
    ///
    /// # Safety
    /// The caller has one, and does not use the block any more.
    pub(crate) unsafe fn release(block: NonNull<Block>) {
        // SAFETY: the caller has a reference, so the block is not freed.
        let before = unsafe { block.as_ref() }
            .references
            .fetch_sub(1, Ordering::AcqRel);
        if before == 1 {
            // SAFETY: that was the last reference. Nothing in the block has to be
            // dropped, because the message went when the block was closed.
            unsafe { sys::ksrrs_shm_free(block.as_ptr().cast()) };
        }
    }

    /// The note about the request.
    fn note(&self) -> &[u8] {
        let tail = std::ptr::from_ref(self).wrapping_add(1).cast();
        // SAFETY: by the invariants the note follows the block.
        unsafe { std::slice::from_raw_parts(tail, self.note_len) }
    }
}

/// A number that no other block has. It contains the number of the process.
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

/// A later reply that this process fills.
///
/// # Invariants
/// Both pointers come from boxes that are freed with it. The call borrows from `owned`
/// and is freed first.
struct Filling {
    number: u64,
    call: *mut Invocation<'static>,
    owned: *mut Owned,
}

/// The data that a call otherwise borrows from an engine.
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
        // SAFETY: the data lives until `Filling` is dropped, which drops the call
        // first.
        let lent = unsafe { &mut *owned };
        let call = Invocation::new(Parts {
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

    /// Sends the reply of this number, unless it has been sent.
    fn finish(number: u64) {
        let found = FILLING.with_borrow_mut(|all| {
            let index = all.iter().position(|one| one.number == number)?;
            Some(all.swap_remove(index))
        });
        let Some(filling) = found else { return };
        let complaints = panic::stop(None, || {
            // SAFETY: nothing adds to the call any more.
            Some(unsafe { &mut *filling.call }.finish())
        });
        let complaints = complaints.unwrap_or_else(|| {
            panic::stop((), || {
                // SAFETY: the reference above ended with the panic.
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
        // SAFETY: by the invariants the pointers come from boxes, and nothing else
        // frees them.
        unsafe {
            drop(Box::from_raw(self.call));
            drop(Box::from_raw(self.owned));
        }
    }
}

/// The client of a later reply, which is the sender of the message in the block.
struct LaterClient(NonNull<Block>);

impl Responder for LaterClient {
    fn respond(&mut self, answer: Answer<'_>) {
        // SAFETY: the block is open, or is being closed by this process, so its message
        // is there and nothing else uses it.
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
