use super::*;
use crate::value::Parent;
use crate::value::building::{open, put};

#[track_caller]
fn assert_written(tree: &Tree, expected: &str) {
    let mut out = Vec::new();
    tree.encode(b"\t", &mut out);
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn a_node_has_its_name_value_and_attributes_on_a_line() {
    let mut tree = Tree::ok();
    let node = tree.push(0, "Domain").value("location");
    node.attribute("table", "1024").attribute("records", "2");
    tree.push(1, "AOR").value("dave");
    tree.push(0, "Process").attribute("ID", "0");
    tree.push(0, "Empty");
    tree.push_value(0, "no name");
    assert_written(
        &tree,
        "200 OK\nDomain:: location table=1024 records=2\n\tAOR:: dave\n\
         Process::  ID=0\nEmpty:: \nno name\n",
    );
}

#[test]
fn the_indent_is_the_operators() {
    let mut tree = Tree::ok();
    tree.push(2, "a").value("b");
    let mut out = Vec::new();
    tree.encode(b"  ", &mut out);
    assert_eq!(out, b"200 OK\n    a:: b\n");
}

#[test]
fn a_value_stays_on_its_line() {
    let mut tree = Tree::status(500, "a\nb");
    tree.push(0, "n\n").value("1\r\n2\0\\\t");
    assert_written(&tree, "500 a\\nb\nn\\n:: 1\\r\\n2\\0\\\t\n");
}

#[test]
fn a_reply_becomes_a_tree_by_one_rule() {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", Scalar::Text(b"text"));
    let outer = open(&mut reply, Parent::Top, "", Container::Struct);
    put(&mut reply, outer, "float", Scalar::Float(0.7));
    put(&mut reply, outer, "true", Scalar::Bool(9));
    put(&mut reply, outer, "null", Scalar::Null);
    let list = open(&mut reply, outer, "list", Container::Array);
    put(&mut reply, list, "", Scalar::Int(-1));
    open(&mut reply, list, "", Container::Struct);
    put(&mut reply, outer, "late", Scalar::UnsignedLong(u64::MAX));
    open(&mut reply, Parent::Top, "", Container::Array);
    assert_written(
        &Tree::of_reply(&reply),
        "200 OK\ntext\nstruct:: \n\tfloat:: 0.7\n\ttrue:: 1\n\tnull:: <null string>\n\
         \tlist:: \n\t\t-1\n\t\tstruct:: \n\tlate:: 18446744073709551615\narray:: \n",
    );
}

#[test]
fn a_fault_is_the_reply_line() {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", Scalar::Int(1));
    reply.set_fault(404, b"Not here");
    assert_written(&Tree::of_reply(&reply), "404 Not here\n");
}
