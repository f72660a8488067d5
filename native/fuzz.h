/* What fuzz targets share: REQUIRE, and with -DSATCHEL_FUZZ_MAIN a driver that needs no libFuzzer. The driver takes
 * files and mutates each: fuzz ROUNDS SEED FILE... A target of a text format defines FUZZ_WORDS before it includes
 * this: a list of strings that mutations put in. */
#ifndef SATCHEL_FUZZ_H
#define SATCHEL_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "failed: %s (line %d)\n", #condition, __LINE__); \
            abort(); \
        } \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef SATCHEL_FUZZ_MAIN

static uint64_t fuzz_state;

static uint32_t chance(uint32_t below)
{
    fuzz_state ^= fuzz_state << 13; /* xorshift64 */
    fuzz_state ^= fuzz_state >> 7;
    fuzz_state ^= fuzz_state << 17;
    return below ? (uint32_t)(fuzz_state >> 32) % below : 0;
}

#ifdef FUZZ_WORDS

static size_t put_word(uint8_t *data, size_t size, size_t capacity, size_t at)
{
    static const char *const WORDS[] = {FUZZ_WORDS};
    const char *word = WORDS[chance(sizeof WORDS / sizeof *WORDS)];
    size_t n = strlen(word);
    if (size + n > capacity)
        return size;
    memmove(data + at + n, data + at, size - at);
    memcpy(data + at, word, n);
    return size + n;
}

#else

static size_t put_word(uint8_t *data, size_t size, size_t capacity, size_t at)
{
    (void)data, (void)capacity, (void)at;
    return size;
}

#endif

static size_t mutate(uint8_t *data, size_t size, size_t capacity)
{
    static const uint32_t NUMBERS[] = {0, 1, 2, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF};
    uint32_t rounds = 1 + chance(6);
    while (rounds--) {
        size_t at = chance((uint32_t)size + 1), n = 1 + chance(16), k;
        uint32_t number = NUMBERS[chance(sizeof NUMBERS / sizeof *NUMBERS)];
        switch (chance(7)) {
        case 0:
            if (at < size)
                data[at] = (uint8_t)chance(256);
            break;
        case 1:
            if (at < size)
                data[at] ^= (uint8_t)(1u << chance(8));
            break;
        case 2:
            for (k = 0; k < 4 && at + k < size; k++)
                data[at + k] = (uint8_t)(number >> 8 * k);
            break;
        case 3:
            if (at + n <= size) {
                memmove(data + at, data + at + n, size - at - n);
                size -= n;
            }
            break;
        case 4:
        case 5:
            size = put_word(data, size, capacity, at);
            break;
        default:
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
    enum { CAPACITY = 1 << 17 };
    long rounds = argc > 2 ? atol(argv[1]) : 0;
    uint8_t *seed = (uint8_t *)malloc(CAPACITY), *data = (uint8_t *)malloc(CAPACITY);
    int i;
    REQUIRE(seed && data);
    fuzz_state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) | 1ull << 40;
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
#endif
