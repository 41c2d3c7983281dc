//! Listeners, connections and the event loop of the control modules.
#![forbid(unsafe_code)]
