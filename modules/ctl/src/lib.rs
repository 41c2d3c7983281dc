//! ctl
kamailio::module! {
    name: "ctl",
}
