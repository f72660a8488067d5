/* Packed property bags: finding values in them. The layout stands in appliance/formats/bags/__init__.py.
 *
 * Nothing here owns memory. Every offset is checked against the bag before it is used; a failure gives a
 * problem with the offset that the Python twin gives. */
#ifndef SATCHEL_BAGS_H
#define SATCHEL_BAGS_H

#include "../cursor.h"

enum { BAG_VERSION = 1, BAG_HEADER = 4 };

enum bag_fault {
    BAG_GOOD = 0,
    BAG_BAD_HEADER,
    BAG_BAD_VERSION,
    BAG_BAD_WIDTH,
    BAG_BAD_TABLE,
    BAG_BAD_LENGTH,
    BAG_BAD_ORDER,
    BAG_BAD_ENDS,
    BAG_BAD_TYPE,
    BAG_BAD_SIZE,
    BAG_BAD_BOOLEAN,
    BAG_BAD_MULTIPLE,
    BAG_NO_COUNT,
    BAG_BAD_COUNT,
    BAG_BAD_FILL,
    BAG_BAD_MULTIPLE_ENDS,
};

/* What is wrong, where, and the numbers that the message names. */
typedef struct {
    enum bag_fault fault;
    size_t at;
    uint64_t found, wanted;
} bag_problem;

typedef struct {
    const uint8_t *data;
    size_t size;
    unsigned width; /* of an end offset: 2 or 4 */
    size_t count;   /* of properties */
    size_t base;    /* where the values begin */
} bag;

/* How the values of a type stand in a bag. */
enum bag_shape {
    BAG_NONE, /* no such type */
    BAG_NULL,
    BAG_SIGNED,
    BAG_UNSIGNED,
    BAG_FLOAT,
    BAG_BOOLEAN,
    BAG_TEXT,
    BAG_BYTES,
    BAG_GUID,
};

typedef struct {
    enum bag_shape shape;
    unsigned size; /* of one value in bytes; 0 for those that vary */
    bool multiple;
} bag_form;

typedef struct {
    size_t start, end;
    size_t tag_at; /* where its tag stands */
} bag_place;

bag_form bag_form_of(uint16_t type);

static inline uint32_t bag_number(const uint8_t *p, unsigned width)
{
    return width == 2 ? (uint32_t)(p[0] | p[1] << 8)
                      : (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t bag_u64(const uint8_t *p)
{
    return (uint64_t)bag_number(p, 4) | (uint64_t)bag_number(p + 4, 4) << 32;
}

static inline uint32_t bag_tag(const bag *b, size_t index)
{
    return bag_number(b->data + BAG_HEADER + 4 * index, 4);
}

/* The header. False with the problem. */
bool bag_open(bag *b, const uint8_t *data, size_t size, bag_problem *problem);

/* Where a tag's value stands. False without the tag, or with a problem (fault not BAG_GOOD). */
bool bag_find(const bag *b, uint32_t tag, bag_place *place, bag_problem *problem);

/* Whether the value at a place has its type's form; text is not looked at. */
bool bag_check_value(const bag *b, uint16_t type, const bag_place *place, bag_problem *problem);

/* What every bag owes before its values are looked at: length and width. */
bool bag_check_length(const bag *b, bag_problem *problem);

/* The place of property `index`, which must rise above `last` (tag) and `at` (end) of the one before. */
bool bag_step(const bag *b, size_t index, int64_t last, size_t at, bag_place *place, bag_problem *problem);

/* One value of a checked multi-value of varying size. */
static inline void bag_item(const bag *b, const bag_place *place, size_t index, size_t *start, size_t *end)
{
    const uint8_t *ends = b->data + place->start + 4;
    size_t base = place->start + 4 + 4 * (size_t)bag_number(b->data + place->start, 4);
    *start = base + (index ? bag_number(ends + 4 * (index - 1), 4) : 0);
    *end = base + bag_number(ends + 4 * index, 4);
}

#endif
