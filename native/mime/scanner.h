/* What the files of the scanner share: its state. Rules and limits stand in scan.c. */
#ifndef SATCHEL_SCANNER_H
#define SATCHEL_SCANNER_H

#include "mime.h"

enum kind { LEAF, MULTIPART, MESSAGE };
enum state { HEADER, BODY, SKIP };
enum { CONTENT_TYPE, CONTENT_ENCODING, CONTENT_FIELDS = 8 };

static const uint8_t BOM[] = {0xef, 0xbb, 0xbf}; /* of UTF-8: some editors open files with it */

typedef struct {
    uint64_t header_start, body_start, body_end, lines;
    size_t fields, fields_size; /* the packed content fields, in `kept` */
    uint32_t parent;            /* index + 1 */
    uint32_t findings;
    uint8_t kind;
    bool message; /* its header is a message's: the root, or the child of a message */
} part;

typedef struct {
    uint32_t part;
    size_t boundary, boundary_size; /* in `boundaries`; size 0: none, or closed already */
    bool digest;
} frame;

struct mime_scanner {
    mime_limits limits;
    uint8_t eol;
    uint8_t prev, prev2; /* the last two bytes consumed */
    enum state state;
    bool at_start;    /* BODY: at the start of a line, or holding its first bytes */
    bool in_line;     /* HEADER: within a line */
    bool first_line;  /* HEADER: no line of it was complete yet */
    bool in_doubt;    /* HEADER: the body perhaps began at doubt_offset */
    bool keeping;     /* HEADER: the limits of this header are not reached */
    bool opening;     /* SKIP: a part begins after this line */
    bool finished;
    uint32_t seen;    /* MIME_EIGHT_BIT_BODY and MIME_NUL, in bytes not yet attributed to a part */
    uint64_t offset, n_lf, n_cr, n_crlf;
    uint64_t line_offset, line_count; /* at the start of the line being held */
    uint64_t doubt_offset, doubt_count;
    unsigned line_term;               /* bytes of the line end before it */
    uint32_t header_fields;
    size_t header_line; /* size of `header` before the line being held */
    size_t hold_size;
    uint32_t active; /* boundaries looked for */
    uint32_t first[256];
    frame *frames;
    uint32_t depth; /* frames in use */
    part *parts;
    uint32_t count, capacity;
    uint64_t budget; /* of limits.kept_bytes, not used yet */
    writer header, kept, messages, boundaries, scratch;
    bool failed;
    uint8_t hold[MIME_HOLD];
};

static inline uint64_t lines_so_far(const mime_scanner *s) { return s->eol == '\n' ? s->n_lf : s->n_cr; }

static inline part *current(mime_scanner *s) { return &s->parts[s->frames[s->depth - 1].part]; }

static inline uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static inline bool same(const uint8_t *p, size_t n, const char *word)
{
    size_t i;
    for (i = 0; i < n; i++)
        if (word[i] == 0 || lower(p[i]) != (uint8_t)word[i])
            return false;
    return word[n] == 0;
}

static inline bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* scan.c: give what was seen since the last time to a part. */
void scan_attribute(mime_scanner *s, uint32_t index, bool header);

/* fields.c: the content fields of the current header. `found` has CONTENT_FIELDS entries; data NULL without the field. */
void fields_find(mime_scanner *s, reader *found);
void fields_keep(mime_scanner *s, part *p, const reader *found);
enum kind fields_classify(mime_scanner *s, part *p, frame *f, const reader *found);

/* parts.c: the tree of parts. */
void part_open(mime_scanner *s, bool message);
void part_close(mime_scanner *s, uint64_t *end, uint64_t *lines);
void part_end_header(mime_scanner *s, uint64_t body_start, uint64_t lines, bool expand);
int part_match(const mime_scanner *s, bool *closing, bool *loose);
void part_meet(mime_scanner *s, int k, bool closing, bool loose);
void part_end_skip(mime_scanner *s);

#endif
