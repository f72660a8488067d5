/* Fuzz target of the scanner, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * The first byte chooses limits and chunk size; the rest is a message. Checked besides memory: the table does
 * not depend on how the message is cut, and every offset of it lies within the message.
 * The driver takes files and mutates each: fuzz ROUNDS SEED FILE... */
#include <stdio.h>

#include "mime.h"

#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "failed: %s (line %d)\n", #condition, __LINE__); \
            abort(); \
        } \
    } while (0)

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
    writer_free(&whole);
    writer_free(&cut);
    return 0;
}

#ifdef SATCHEL_FUZZ_MAIN

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return below ? (uint32_t)(state >> 32) % below : 0;
}

static size_t mutate(uint8_t *data, size_t size, size_t capacity)
{
    static const char *const PIECES[] = {
        "\r\n", "\n", "\r", "--", "\r\n\r\n", "\n--", "Content-Type: multipart/mixed; boundary=a\r\n", "--a\r\n",
        "--a--\r\n", "Content-Type: message/rfc822\r\n", "boundary*0*=", "\"", "\\", "(", ";", "=", ":", "From ",
        "Content-Transfer-Encoding: base64\r\n", "multipart/digest",
    };
    uint32_t rounds = 1 + chance(8);
    while (rounds--) {
        size_t at = chance((uint32_t)size + 1);
        const char *piece = PIECES[chance(sizeof PIECES / sizeof *PIECES)];
        size_t n = strlen(piece);
        switch (chance(4)) {
        case 0:
            if (at < size)
                data[at] = (uint8_t)chance(256);
            break;
        case 1:
            n = chance(40);
            if (at + n <= size) {
                memmove(data + at, data + at + n, size - at - n);
                size -= n;
            }
            break;
        case 2:
            if (size + n <= capacity) {
                memmove(data + at + n, data + at, size - at);
                memcpy(data + at, piece, n);
                size += n;
            }
            break;
        default:
            n = chance(200);
            if (at + n <= size && size + n <= capacity) {
                memmove(data + at + n, data + at, size - at);
                size += n;
            }
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    enum { CAPACITY = 1 << 18 };
    long rounds = argc > 2 ? atol(argv[1]) : 0;
    uint8_t *seed = (uint8_t *)malloc(CAPACITY), *data = (uint8_t *)malloc(CAPACITY);
    int i;
    REQUIRE(seed && data);
    state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) | 1ull << 40;
    for (i = 3; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t size;
        long round;
        REQUIRE(file);
        size = fread(seed, 1, CAPACITY / 2, file);
        fclose(file);
        LLVMFuzzerTestOneInput(seed, size);
        for (round = 0; round < rounds; round++) {
            memcpy(data, seed, size);
            LLVMFuzzerTestOneInput(data, mutate(data, size, CAPACITY));
        }
    }
    free(seed);
    free(data);
    return 0;
}

#endif
