/* MIME structure scanner: the interface of the codec. See scan.c for the rules. */
#ifndef SATCHEL_MIME_H
#define SATCHEL_MIME_H

#include "../cursor.h"

#define MIME_VERSION 1       /* of the packed table */
#define MIME_MAX_BOUNDARY 1000 /* bytes; a longer boundary parameter is not used (RFC 2046 5.1.1 allows 70) */
#define MIME_HOLD (MIME_MAX_BOUNDARY + 8) /* bytes of a line that are looked at */

enum mime_finding {
    MIME_EIGHT_BIT_HEADER = 1 << 0,
    MIME_EIGHT_BIT_BODY = 1 << 1,
    MIME_NUL = 1 << 2,
    MIME_BARE_LF = 1 << 3,
    MIME_BARE_CR = 1 << 4,
    MIME_MBOX_FROM = 1 << 5,
    MIME_MISSING_SEPARATOR = 1 << 6,
    MIME_STRAY_CONTINUATION = 1 << 7,
    MIME_MISSING_END = 1 << 8,
    MIME_NO_BOUNDARY = 1 << 9,
    MIME_LOOSE_BOUNDARY = 1 << 10,
    MIME_HEADER_LIMIT = 1 << 11,
    MIME_DEPTH_LIMIT = 1 << 12,
    MIME_PARTS_LIMIT = 1 << 13,
    MIME_ENCODED_MESSAGE = 1 << 14,
    MIME_BAD_TYPE = 1 << 15,
    MIME_CR_LINES = 1 << 16,
    MIME_BAD_LINE = 1 << 17,
};

typedef struct {
    uint64_t header_bytes; /* kept of one header */
    uint64_t kept_bytes;   /* kept of all message headers and content fields together */
    uint64_t value_bytes;  /* kept of one content field */
    uint32_t fields;       /* kept of one header */
    uint32_t depth;        /* containers around a part */
    uint32_t parts;
} mime_limits;

typedef struct mime_scanner mime_scanner;

/* NULL if memory is short. */
mime_scanner *mime_new(const mime_limits *limits);
void mime_free(mime_scanner *s);

/* The next bytes of the message, any number. False: out of memory, or more than 2^62 bytes. */
bool mime_feed(mime_scanner *s, const uint8_t *data, size_t size);

/* The end of the message. The table and the headers of messages (each: varint length, bytes) are appended. */
bool mime_finish(mime_scanner *s, writer *table, writer *headers);

#endif
