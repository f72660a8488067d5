/* Where the values of a row come from: its key, its hot row, its bag, constants (rows.h). */
#include "values.h"

/* ---- slots */

bool slots_read(slot_table *table, const uint8_t *data, size_t size)
{
    reader r = reader_of(data, size);
    size_t i;
    memset(table, 0, sizeof *table);
    table->class_count = read_u16le(&r);
    if (table->class_count > MAX_CLASS)
        return false;
    for (i = 0; i < table->class_count; i++) {
        table->classes[i].size = read_u16le(&r);
        table->classes[i].data = read_bytes(&r, table->classes[i].size);
    }
    table->count = read_u16le(&r);
    if (r.failed || table->count > MAX_SLOTS)
        return false;
    table->slots = (slot *)calloc(table->count ? table->count : 1, sizeof *table->slots);
    if (table->slots == NULL)
        return false;
    for (i = 0; i < table->count; i++) {
        slot *s = &table->slots[i];
        s->tag = read_u32le(&r);
        s->source = read_u8(&r);
        s->fallback = read_u8(&r);
        s->other = read_u16le(&r);
        s->constant.size = read_u16le(&r);
        s->constant.data = read_bytes(&r, s->constant.size);
        if (r.failed || s->source >= SLOT_SOURCES || (s->fallback & ~ASKS) >= ELSE_COUNT ||
            ((s->fallback & ~ASKS) == ELSE_SAME && (s->other <= i || s->other >= table->count))) {
            slots_free(table);
            return false;
        }
    }
    return reader_left(&r) == 0 || (slots_free(table), false);
}

void slots_free(slot_table *table)
{
    free(table->slots);
    table->slots = NULL;
    table->count = 0;
}

/* ---- values */

static uint64_t u64be(const uint8_t *p)
{
    uint64_t v = 0;
    int i;
    for (i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

row row_of(const row_input *input)
{
    row r;
    memset(&r, 0, sizeof r);
    r.input = input;
    return r;
}

uint64_t row_id(const row_input *input) { return u64be(input->key.data + 14); }

static void open_cold(row *r)
{
    span cold = r->input->cold;
    bag_problem problem;
    size_t head;
    r->bag_state = -1;
    if (cold.data == NULL)
        return;
    r->bag_state = -2;
    if (cold.size < ROW_COLD || cold.data[0] < 1 || cold.data[0] > 2)
        return;
    head = ROW_COLD + (size_t)(cold.data[1] | cold.data[2] << 8);
    if (head > cold.size || !bag_open(&r->b, cold.data + head, cold.size - head, &problem))
        return;
    r->compact = cold.data[0] == 2;
    r->bag_state = 1;
}

static value nothing(enum value_state state)
{
    value v;
    memset(&v, 0, sizeof v);
    v.state = state;
    return v;
}

static value value_in(const bag *b, uint32_t tag)
{
    value v = nothing(VALUE_NONE);
    bag_problem problem;
    const uint8_t *p;
    if (!bag_find(b, tag, &v.place, &problem)) {
        v.state = problem.fault == BAG_GOOD ? VALUE_NONE : VALUE_ASK;
        return v;
    }
    v.form = bag_form_of((uint16_t)tag);
    if (!bag_check_value(b, (uint16_t)tag, &v.place, &problem))
        return nothing(VALUE_ASK);
    v.state = v.form.shape == BAG_NULL ? VALUE_NONE : VALUE_HERE;
    v.in = *b;
    p = b->data + v.place.start;
    v.bytes.data = p;
    v.bytes.size = v.place.end - v.place.start;
    if (v.form.multiple)
        return v;
    if (v.form.shape == BAG_SIGNED)
        v.bits = v.form.size == 2   ? (uint64_t)(int64_t)(int16_t)bag_number(p, 2)
                 : v.form.size == 4 ? (uint64_t)(int64_t)(int32_t)bag_number(p, 4)
                                    : bag_u64(p);
    else if (v.form.shape == BAG_UNSIGNED)
        v.bits = v.form.size == 4 ? bag_number(p, 4) : bag_u64(p);
    else if (v.form.shape == BAG_BOOLEAN)
        v.bits = *p;
    else if (v.form.shape == BAG_FLOAT && v.form.size == 4) {
        uint32_t bits = bag_number(p, 4);
        float small;
        memcpy(&small, &bits, 4);
        v.number = small;
    } else if (v.form.shape == BAG_FLOAT) {
        uint64_t bits = bag_u64(p);
        memcpy(&v.number, &bits, 8);
    }
    return v;
}

static value constant(const slot *s)
{
    bag b;
    bag_problem problem;
    if (!bag_open(&b, s->constant.data, s->constant.size, &problem))
        return nothing(VALUE_ASK);
    return value_in(&b, s->tag);
}

static value unsigned_value(uint64_t bits)
{
    value v = nothing(VALUE_HERE);
    v.form.shape = BAG_UNSIGNED;
    v.form.size = 8;
    v.bits = bits;
    return v;
}

/* An id as the properties of type Integer64 hold it: replica id and counter in the order of their bytes on the
   wire (MS-OXCDATA 2.2.1.1), read as a little-endian number. */
static value id_value(uint64_t id)
{
    uint64_t bits = id >> 48;
    unsigned at;
    value v;
    for (at = 0; at < 6; at++)
        bits |= (id >> 8 * at & 0xff) << (56 - 8 * at);
    v = unsigned_value(bits);
    v.form.shape = BAG_SIGNED;
    return v;
}

static value boolean_value(bool truth)
{
    value v = nothing(VALUE_HERE);
    v.form.shape = BAG_BOOLEAN;
    v.form.size = 1;
    v.bits = truth;
    return v;
}

/* PidTagSatchelAbsent of a compact bag: properties that the message lacks although a rule would give them. */
static bool is_marked_absent(const row *r, uint32_t tag)
{
    value marks = value_in(&r->b, 0x66F11003u);
    size_t i;
    for (i = 0; marks.state == VALUE_HERE && i + 4 <= marks.bytes.size; i += 4)
        if (bag_number(marks.bytes.data + i, 4) == tag)
            return true;
    return false;
}

/* Whether Python is to be asked for a property that the bag lacks, or, with `marks`, whatever the bag has. */
static bool is_asked(const row *r, const slot *s, bool marks)
{
    const uint8_t *hot = r->input->hot.data;
    bool typed;
    if (!(s->fallback & ASKS))
        return false;
    if (r->input->hot.size < ROW_HOT)
        return true;
    typed = s->fallback & ASK_TYPED && bag_number(hot + 14, 2) != CLASS_NOTE;
    if (marks)
        return s->fallback & ASK_MARKED && (typed || bag_number(hot, 4) & MARKS);
    return typed || s->fallback & ASK_COMPUTED || (s->fallback & ASK_KEYWORDS && r->input->hot.size > ROW_HOT);
}

static value from_bag(row *r, const slot_table *table, const slot *s)
{
    value v;
    if (is_asked(r, s, true))
        return nothing(VALUE_ASK);
    if (r->bag_state == 0)
        open_cold(r);
    if (r->bag_state == -2)
        return nothing(VALUE_ASK);
    v = r->bag_state == 1 ? value_in(&r->b, s->tag) : nothing(VALUE_NONE);
    if (v.state != VALUE_NONE)
        return v;
    if (s->fallback & ASK_TYPED && is_asked(r, s, false))
        return nothing(VALUE_ASK);
    if (r->bag_state == 1 && r->compact && (s->fallback & 0x0F) && !is_marked_absent(r, s->tag)) {
        switch (s->fallback & 0x0F) {
        case ELSE_CONSTANT: return constant(s);
        case ELSE_SAME: /* `other` is a later slot: this ends */
            v = row_value(r, table, s->other);
            if (v.state == VALUE_HERE && table->slots[s->other].tag << 16 != s->tag << 16)
                return nothing(VALUE_ASK);
            break;
        default: return nothing(VALUE_ASK);
        }
    }
    return v.state == VALUE_NONE && is_asked(r, s, false) ? nothing(VALUE_ASK) : v;
}

static uint32_t message_flags(uint32_t flags, bool associated)
{
    /* RowFlag to PidTagMessageFlags (MS-OXCMSG 2.2.1.6) */
    static const uint32_t MAP[][2] = {
        {0x01, 0x01}, {0x400000, 0x02}, {0x80, 0x04}, {0x10, 0x08}, {0x100, 0x10}, {0x200, 0x20}, {0x400, 0x80},
        {0x800, 0x100}, {0x1000, 0x200}, {0x2000, 0x400}, {0x4000, 0x2000}, {0x8000, 0x8000},
    };
    uint32_t made = associated ? 0x40 : 0;
    size_t i;
    for (i = 0; i < sizeof MAP / sizeof *MAP; i++)
        if (flags & MAP[i][0])
            made |= MAP[i][1];
    return made;
}

static value message_class(row *r, const slot_table *table, const slot *s, unsigned number)
{
    value v;
    if (number == 0)
        return from_bag(r, table, s);
    if (number >= table->class_count || table->classes[number].size == 0)
        return nothing(VALUE_ASK);
    v = nothing(VALUE_HERE);
    v.form.shape = BAG_TEXT;
    v.bytes = table->classes[number];
    return v;
}

static value flag_status(uint32_t flags)
{
    return flags & FLAG_COMPLETE ? unsigned_value(1) : flags & FLAGGED ? unsigned_value(2) : nothing(VALUE_NONE);
}

value row_value(row *r, const slot_table *table, size_t index)
{
    const slot *s = &table->slots[index];
    const uint8_t *key = r->input->key.data, *hot = r->input->hot.data;
    if (s->source == SLOT_BAG)
        return from_bag(r, table, s);
    if (s->source == SLOT_CONSTANT)
        return constant(s);
    if (s->source == SLOT_ABSENT)
        return nothing(VALUE_NONE);
    if (s->source == SLOT_ASK || r->input->key.size != ROW_KEY || r->input->hot.size < ROW_HOT)
        return nothing(VALUE_ASK);
    switch (s->source) {
    case SLOT_MID: return id_value(u64be(key + 14));
    case SLOT_FID: return id_value(u64be(key + 5));
    case SLOT_MESSAGE_FLAGS: return unsigned_value(message_flags(bag_number(hot, 4), key[13] != 0));
    case SLOT_READ: return boolean_value(hot[0] & 0x01);
    case SLOT_SIZE: return unsigned_value(bag_number(hot + 8, 4));
    case SLOT_RECEIVED: return unsigned_value(bag_u64(hot + 50));
    case SLOT_MODIFIED: return unsigned_value(bag_u64(hot + 58));
    case SLOT_CHANGE_NUMBER: return id_value(bag_u64(hot + 18));
    case SLOT_HAS_ATTACHMENTS: return boolean_value(hot[1] & 0x01);
    case SLOT_IMPORTANCE: return unsigned_value(hot[16]);
    case SLOT_ASSOCIATED: return boolean_value(key[13] != 0);
    case SLOT_MESSAGE_CLASS: return message_class(r, table, s, bag_number(hot + 14, 2));
    case SLOT_FLAG_STATUS: return flag_status(bag_number(hot, 4));
    default: return nothing(VALUE_ASK);
    }
}

value value_item(const value *v, size_t index)
{
    value one = nothing(VALUE_HERE);
    bag_place place = v->place;
    if (!v->form.multiple)
        return *v;
    if (v->form.size) {
        place.start += index * v->form.size;
        place.end = place.start + v->form.size;
    } else {
        bag_item(&v->in, &v->place, index, &place.start, &place.end);
    }
    one.form = v->form;
    one.form.multiple = false;
    one.in = v->in;
    one.place = place;
    one.bytes.data = v->in.data + place.start;
    one.bytes.size = place.end - place.start;
    if (one.form.shape == BAG_SIGNED && one.form.size == 2)
        one.bits = (uint64_t)(int64_t)(int16_t)bag_number(one.bytes.data, 2);
    else if (one.form.shape == BAG_SIGNED && one.form.size == 4)
        one.bits = (uint64_t)(int64_t)(int32_t)bag_number(one.bytes.data, 4);
    else if (one.form.shape == BAG_SIGNED || one.form.shape == BAG_UNSIGNED)
        one.bits = bag_u64(one.bytes.data);
    else if (one.form.shape == BAG_FLOAT && one.form.size == 4) {
        uint32_t bits = bag_number(one.bytes.data, 4);
        float small;
        memcpy(&small, &bits, 4);
        one.number = small;
    } else if (one.form.shape == BAG_FLOAT) {
        uint64_t bits = bag_u64(one.bytes.data);
        memcpy(&one.number, &bits, 8);
    }
    return one;
}

size_t value_utf8_next(const uint8_t *p, size_t left, uint32_t *c)
{
    if (left == 0)
        return 0;
    if (p[0] < 0x80) {
        *c = p[0];
        return 1;
    }
    if (p[0] >= 0xC2 && p[0] < 0xE0 && left >= 2 && (p[1] & 0xC0) == 0x80) {
        *c = (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
        return 2;
    }
    if (p[0] >= 0xE0 && p[0] < 0xF0 && left >= 3 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80) {
        *c = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        return *c >= 0x800 ? 3 : 0;
    }
    if (p[0] >= 0xF0 && p[0] < 0xF5 && left >= 4 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80 &&
        (p[3] & 0xC0) == 0x80) {
        *c = (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
        return *c >= 0x10000 && *c < 0x110000 ? 4 : 0;
    }
    return 0;
}
