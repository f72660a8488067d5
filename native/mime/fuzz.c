/* Fuzz target of the scanner, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * The first byte chooses limits and chunk size; the rest is a message. Checked besides memory: the table does not depend
 * on how the message is cut, every offset of it lies within the message, it is read back as it is, a glimpse at it that
 * counts the header too finds what one without it finds, and unfolded fields have no line ends. */
#define FUZZ_WORDS \
    "\r\n", "\n", "\r", "--", "\r\n\r\n", "\n--", "Content-Type: multipart/mixed; boundary=a\r\n", "--a\r\n", \
        "--a--\r\n", "Content-Type: message/rfc822\r\n", "boundary*0*=", "\"", "\\", "(", ";", "=", ":", "From ", \
        "Content-Transfer-Encoding: base64\r\n", "multipart/digest", "Content-Type: text/plain; charset=utf-8\r\n", \
        "Content-Transfer-Encoding: quoted-printable\r\n", "=41", "=\r\n", "=?"
#include "block.h"
#include "glimpse.h"
#include "mime.h"
#include "../fuzz.h"

static void scan_in_chunks(const uint8_t *data, size_t size, size_t chunk, const mime_limits *limits, writer *table)
{
    writer headers = {0};
    mime_scanner *s = mime_new(limits);
    size_t at;
    REQUIRE(s);
    for (at = 0; at < size; at += chunk) {
        size_t n = size - at < chunk ? size - at : chunk;
        uint8_t *copy = (uint8_t *)malloc(n); /* so that reading beyond the chunk is seen */
        REQUIRE(copy);
        memcpy(copy, data + at, n);
        REQUIRE(mime_feed(s, copy, n));
        free(copy);
    }
    REQUIRE(mime_finish(s, table, &headers));
    writer_free(&headers);
    mime_free(s);
}

static void check_table(const writer *table, size_t size, const mime_limits *limits)
{
    reader r = reader_of(table->data, table->size);
    uint64_t count, start = 0, i;
    REQUIRE(read_u8(&r) == MIME_VERSION);
    REQUIRE(read_varint(&r) == size);
    read_varint(&r);
    read_varint(&r);
    count = read_varint(&r);
    REQUIRE(count >= 1 && count <= limits->parts);
    for (i = 0; i < count; i++) {
        uint64_t body, end;
        uint8_t mask;
        int k;
        REQUIRE(read_varint(&r) <= i);
        REQUIRE(read_u8(&r) <= 2);
        read_varint(&r);
        start += read_varint(&r);
        body = start + read_varint(&r);
        end = body + read_varint(&r);
        REQUIRE(start <= body && body <= end && end <= size);
        read_varint(&r);
        mask = read_u8(&r);
        for (k = 0; k < 8; k++)
            if (mask & 1 << k)
                read_bytes(&r, (size_t)read_varint(&r));
    }
    REQUIRE(!r.failed && reader_left(&r) == 0);
}

static void glimpse(const writer *table, const uint8_t *data, size_t size)
{
    mime_span parts = {table->data, table->size}, raw = {data, size}, none = {NULL, 0}, key = {data, 1};
    writer room = {0};
    enum glimpse_verdict body, all;
    if (size == 0)
        return;
    body = mime_glimpse(parts, none, raw, key, false, &room);
    all = mime_glimpse(parts, raw, raw, key, true, &room);
    REQUIRE((body == GLIMPSE_YES) == (all == GLIMPSE_YES));
    REQUIRE(all != GLIMPSE_NO || body == GLIMPSE_NO);
    mime_glimpse(raw, none, raw, key, true, &room); /* a table of any bytes */
    writer_free(&room);
}

static void parts(const uint8_t *data, size_t length, bool whole)
{
    reader table = reader_of(data, length);
    uint64_t size, count, i;
    block_part part;
    part.start = 0;
    if (!block_table(&table, &size, &count)) {
        REQUIRE(!whole);
        return;
    }
    for (i = 0; i < count; i++) {
        if (!block_part_next(&table, size, i, part.start, &part)) {
            REQUIRE(!whole);
            return;
        }
        REQUIRE(part.start <= part.body_start && part.body_start <= part.body_end && part.body_end <= size);
    }
    REQUIRE(!whole || reader_left(&table) == 0);
}

static void fields(const uint8_t *data, size_t size)
{
    block_reader r = block_of(data, size);
    block_field field;
    while (block_next(&r, &field)) {
        uint8_t *out = (uint8_t *)malloc(field.body_size + 1);
        size_t n;
        REQUIRE(out);
        REQUIRE(field.name_size > 0 && field.body + field.body_size <= data + size);
        n = block_unfold(field.body, field.body_size, out);
        REQUIRE(n <= field.body_size);
        while (n > 0) {
            n--;
            REQUIRE(out[n] != '\r' && out[n] != '\n');
        }
        free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const mime_limits WIDE = {1 << 20, 4 << 20, 32 << 10, 20000, 100, 10000};
    static const mime_limits TIGHT = {100, 250, 30, 3, 3, 5};
    const mime_limits *limits;
    writer whole = {0}, cut = {0};
    size_t chunk;
    if (size == 0)
        return 0;
    limits = data[0] & 1 ? &TIGHT : &WIDE;
    chunk = 1 + (data[0] >> 1);
    data++;
    size--;
    scan_in_chunks(data, size, size ? size : 1, limits, &whole);
    scan_in_chunks(data, size, chunk, limits, &cut);
    REQUIRE(whole.size == cut.size && memcmp(whole.data, cut.data, whole.size) == 0);
    check_table(&whole, size, limits);
    glimpse(&whole, data, size);
    parts(whole.data, whole.size, true);
    parts(data, size, false);
    fields(data, size);
    writer_free(&whole);
    writer_free(&cut);
    return 0;
}
