/* Row scanning: what tables do with many rows, straight from their stored form.
 *
 * A row is what the store holds of a message: the key and the value of its hot row (store/contents.py) and its
 * cold value (store/messages.py: form, length of the trace headers, those, packed bag). A `slot` says where
 * one property of a row comes from. Everything here either gives what the Python twin gives or answers ASK:
 * then Python decides that row (text beyond ASCII, whose case and collation are Python's; properties that
 * follow from others by a rule; damaged rows).
 *
 * Invariants: no read outside the row; no allocation but in writers; nothing of Python. */
#ifndef SATCHEL_ROWS_H
#define SATCHEL_ROWS_H

#include "../bags/bags.h"

typedef struct {
    const uint8_t *data;
    size_t size;
} span;

typedef struct {
    span key, hot, cold; /* cold.data NULL: not at hand */
} row_input;

enum { ROW_KEY = 22, ROW_HOT = 90, ROW_COLD = 3 };

/* Where a property comes from. Hot numbers are named in appliance/store/tables/scan.py. */
enum slot_source {
    SLOT_BAG = 0,
    SLOT_MID,
    SLOT_FID,
    SLOT_MESSAGE_FLAGS,
    SLOT_READ,
    SLOT_SIZE,
    SLOT_RECEIVED,
    SLOT_MODIFIED,
    SLOT_CHANGE_NUMBER,
    SLOT_HAS_ATTACHMENTS,
    SLOT_IMPORTANCE,
    SLOT_ASSOCIATED,
    SLOT_MESSAGE_CLASS,
    SLOT_MESSAGE_STATUS,
    SLOT_INSTANCE_KEY,
    SLOT_FLAG_STATUS, /* PidTagFlagStatus: completed, flagged, or none */
    SLOT_CONSTANT, /* a bag of one property: the constant */
    SLOT_ABSENT,
    SLOT_ASK,
    SLOT_SOURCES,
};

/* What holds when a compact bag lacks the property. The upper bits say when Python is asked whatever the bag's
 * form: where it lacks the property (COMPUTED), and the same of messages that are no plain mail (TYPED) or have
 * keywords (KEYWORDS). */
enum slot_fallback {
    ELSE_NONE = 0,
    ELSE_CONSTANT,
    ELSE_SAME,
    ELSE_ASK,
    ELSE_SUBJECT_PREFIX, /* what the subject says: appliance/mapi/conversation.py */
    ELSE_NORMALIZED_SUBJECT,
    ELSE_TOPIC,
    ELSE_COUNT,
};
enum slot_asks { ASK_COMPUTED = 0x10, ASK_TYPED = 0x20, ASK_KEYWORDS = 0x40, ASKS = 0x70 };

/* What the hot row's flags make of a bag's property. */
enum slot_state { STATE_NONE = 0, STATE_FOLLOWUP_ICON, STATE_LAST_VERB, STATE_ICON, STATE_COUNT };
enum row_flag { ROW_ANSWERED = 0x02, ROW_FLAGGED = 0x04, ROW_FORWARDED = 0x20, ROW_COMPLETE = 0x10000 };
enum { CLASS_NOTE = 1 };

enum { MAX_SLOTS = 2048, MAX_CLASS = 64 };

typedef struct {
    uint32_t tag;
    uint8_t source, fallback, state;
    uint16_t other;   /* slot of ELSE_SAME, always a later one */
    bag_form form;    /* of the tag's type */
    bool packs;       /* whether such values stand in property rows as C knows them */
    span constant;    /* packed bag of one property, of SLOT_CONSTANT and ELSE_CONSTANT */
    bag opened;       /* that bag; data NULL: there is none, or it is damaged */
} slot;

typedef struct {
    slot *slots;
    size_t count;
    span classes[MAX_CLASS]; /* names of message classes by number; empty: unknown, ask */
    size_t class_count;      /* numbers from here on: ask */
} slot_table;

/* Reads a packed table of slots: u16 classes, each u16 length and UTF-8; u16 slots, each u32 tag, u8 source,
 * u8 fallback, u8 state, u16 other, u16 length and constant. The table points into `data`. False: no such table. */
bool slots_read(slot_table *table, const uint8_t *data, size_t size);
void slots_free(slot_table *table);

/* A value: `form` says which member counts. Multi-values and varying ones stand in `in` at `place`, which is a
 * bag of the row or of the table and lives as long as they. */
enum value_state { VALUE_NONE = 0, VALUE_HERE, VALUE_ASK };

typedef struct {
    enum value_state state;
    bag_form form;
    uint64_t bits;     /* integers (sign extended), Boolean */
    double number;     /* floats */
    span bytes;        /* text, binary, Guid; the whole place of a multi-value */
    const bag *in;
    bag_place place;
} value;

/* An opened row, so that its bag is opened once. */
typedef struct {
    const row_input *input;
    int bag_state; /* 0 not yet, 1 open, -1 none at all, -2 damaged or not at hand */
    bool compact;
    int marks_state; /* 0 not looked for yet, 1 there, -1 none */
    bag_place marks; /* PidTagSatchelAbsent of a compact bag */
    bag b;
    uint8_t instance_key[12];
} row;

row row_of(const row_input *input);
uint64_t row_id(const row_input *input); /* the MID; of a row with a key of ROW_KEY bytes */
value row_value(row *r, const slot_table *table, size_t slot);

/* ---- sort keys (store/tables/sortkeys.py) */

typedef struct {
    uint16_t slot;
    uint8_t descending;
} sort_column;

/* The parts of a row's key appended to `out`; their ends (from the key's start) in `ends` when not NULL.
 * VALUE_HERE or VALUE_ASK (then `out` is as before). Columns have no instances. */
enum value_state row_sort_key(row *r, const slot_table *table, const sort_column *columns, size_t count,
                              writer *out, uint32_t *ends);

/* ---- restrictions (mapi/matching.py) */

enum op {
    OP_AND = 0,   /* u16 parts follow */
    OP_OR,        /* u16 parts follow */
    OP_NOT,
    OP_TRUE,
    OP_FALSE,
    OP_ASK,
    OP_EXIST,     /* u16 slot */
    OP_BIT_MASK,  /* u16 slot, u8 nonzero, u64 mask */
    OP_SIZE,      /* u16 slot, u8 relation, u64 size */
    OP_NUMBER,    /* u16 slot, u8 relation, u64 value, u8 unsigned */
    OP_FLOAT,     /* u16 slot, u8 relation, 8 bytes double */
    OP_TEXT,      /* u16 slot, u8 relation, u16 length, folded ASCII */
    OP_BINARY,    /* u16 slot, u8 relation, u16 length, bytes */
    OP_CONTENT,   /* u16 slot, u8 level, u8 ignore case, u8 is text, u16 length, folded value */
    OP_COMPARE,   /* u16 slot, u8 relation, u16 slot */
};

enum { MAX_PROGRAM_DEPTH = 128 };

/* Whether a program is whole: `row_matches` runs only such programs. */
bool program_check(const uint8_t *program, size_t size, size_t slots);

/* 0 false, 1 true, 2 ask. */
int row_matches(row *r, const slot_table *table, const uint8_t *program, size_t size);

/* ---- property rows (MS-OXCDATA 2.8.1 in ROP buffers) */

/* `whole`: text and binaries are not cut to what tables show. */
typedef struct {
    const slot_table *table;
    const uint16_t *numbers; /* of slots */
    size_t count;
    bool whole;
} column_list;

/* Appends the row of the columns. VALUE_ASK leaves `out` as it was. *flagged: whether the row is expected to lack
 * a property, as rows do whose neighbours do; then whether it did. */
enum value_state row_pack(row *r, const column_list *columns, writer *out, bool *flagged);

#endif
