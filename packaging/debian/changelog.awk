# Writes the topmost section of CHANGELOG.md as the items of an entry in a Debian
# changelog, whose lines have at most 80 characters.

function flush(    words, count, i, line) {
    count = split(text, words, " ")
    line = first
    for (i = 1; i <= count; i++) {
        if (length(line " " words[i]) > 80 && line != first && line != rest) {
            print line
            line = rest
        }
        line = line " " words[i]
    }
    if (count)
        print line
    text = ""
}

/^## / { if (sections++) exit; next }
!sections { next }
/^- / { flush(); first = "  *"; rest = "   "; text = substr($0, 3); next }
/^ +- / { flush(); first = "    -"; rest = "     "; sub(/^ +- /, ""); text = $0; next }
/^ / && text { text = text " " $0; next }
{ flush() }
END { flush() }
