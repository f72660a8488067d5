"""Why compressed bytes are refused; the numbers are those of `lz77_status` in native/lz77/lz77.h."""

SHORT, OFFSET, LENGTH, LONG, REST = 2, 3, 4, 5, 6

PROBLEMS = {
    SHORT: "the compressed data are cut short",
    OFFSET: "a match begins before the data",
    LENGTH: "a length of a match that its form does not allow",
    LONG: "more data than were announced",
    REST: "bytes after the data",
}
