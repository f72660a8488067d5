#include "rows.h"

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
        if (r.failed || s->source >= SLOT_SOURCES || (s->fallback & ~ELSE_COMPUTED) >= ELSE_COUNT ||
            ((s->fallback & ~ELSE_COMPUTED) == ELSE_SAME && (s->other <= i || s->other >= table->count))) {
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

static value from_bag(row *r, const slot_table *table, const slot *s)
{
    value v;
    if (r->bag_state == 0)
        open_cold(r);
    if (r->bag_state == -2)
        return nothing(VALUE_ASK);
    v = r->bag_state == 1 ? value_in(&r->b, s->tag) : nothing(VALUE_NONE);
    if (v.state != VALUE_NONE)
        return v;
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
    return v.state == VALUE_NONE && s->fallback & ELSE_COMPUTED ? nothing(VALUE_ASK) : v;
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
    default: return nothing(VALUE_ASK);
    }
}

static bool is_ascii(span s)
{
    size_t i = 0;
    uint64_t word;
    for (; i + 8 <= s.size; i += 8) {
        memcpy(&word, s.data + i, 8);
        if (word & 0x8080808080808080u)
            return false;
    }
    for (; i < s.size; i++)
        if (s.data[i] & 0x80)
            return false;
    return true;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static size_t value_count(const value *v)
{
    if (!v->form.multiple)
        return 1;
    return v->form.size ? v->bytes.size / v->form.size : bag_number(v->bytes.data, 4);
}

/* One value of a multi-value, as a value of its own. */
static value value_item(const value *v, size_t index)
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

/* ---- sort keys */

enum { MAX_KEY = 160, MAX_KEY_VALUES = 8 };

static void put_terminated(writer *out, span raw)
{
    size_t size = raw.size < MAX_KEY ? raw.size : MAX_KEY, start = out->size, i, n = 0;
    uint8_t *at = write_reserve(out, 2 * size + 2);
    if (at == NULL)
        return;
    for (i = 0; i < size; i++) {
        at[n++] = raw.data[i];
        if (raw.data[i] == 0)
            at[n++] = 0xFF;
    }
    at[n++] = 0;
    at[n++] = 0;
    out->size = start + n;
}

static void put_folded(writer *out, span text)
{
    size_t start = out->size, i, n = 0;
    uint8_t *at = write_reserve(out, MAX_KEY + 2);
    if (at == NULL)
        return;
    for (i = 0; i < text.size && n < MAX_KEY; i++)
        if (text.data[i])
            at[n++] = lower(text.data[i]);
    at[n++] = 0;
    at[n++] = 0;
    out->size = start + n;
}

static bool put_key(writer *out, const value *v)
{
    uint64_t bits;
    switch (v->form.shape) {
    case BAG_BOOLEAN: write_u8(out, (uint8_t)v->bits); return true;
    case BAG_SIGNED:
    case BAG_UNSIGNED: write_uintbe(out, v->bits + (1ull << 63), 8); return true;
    case BAG_FLOAT:
        memcpy(&bits, &v->number, 8);
        write_uintbe(out, bits >> 63 ? ~bits : bits | 1ull << 63, 8);
        return true;
    case BAG_TEXT:
        if (!is_ascii(v->bytes))
            return false;
        put_folded(out, v->bytes);
        return true;
    case BAG_BYTES:
    case BAG_GUID: put_terminated(out, v->bytes); return true;
    default: return false;
    }
}

static bool put_part(writer *out, const value *v)
{
    size_t i, count;
    if (v->state == VALUE_NONE) {
        write_u8(out, 0);
        return true;
    }
    write_u8(out, 1);
    if (!v->form.multiple)
        return put_key(out, v);
    count = value_count(v);
    for (i = 0; i < count && i < MAX_KEY_VALUES; i++) {
        value one = value_item(v, i);
        write_u8(out, 1);
        if (!put_key(out, &one))
            return false;
    }
    write_u8(out, 0);
    return true;
}

enum value_state row_sort_key(row *r, const slot_table *table, const sort_column *columns, size_t count,
                              writer *out, uint32_t *ends)
{
    size_t start = out->size, i, k;
    for (i = 0; i < count; i++) {
        size_t from = out->size;
        value v = row_value(r, table, columns[i].slot);
        if (v.state == VALUE_ASK || !put_part(out, &v)) {
            out->size = start;
            return VALUE_ASK;
        }
        if (columns[i].descending && !out->failed)
            for (k = from; k < out->size; k++)
                out->data[k] = (uint8_t)~out->data[k];
        if (ends)
            ends[i] = (uint32_t)(out->size - start);
    }
    return VALUE_HERE;
}

/* ---- restrictions */

static bool related(unsigned relation, int order)
{
    switch (relation) {
    case 0: return order < 0;
    case 1: return order <= 0;
    case 2: return order > 0;
    case 3: return order >= 0;
    case 4: return order == 0;
    case 5: return order != 0;
    default: return false;
    }
}

static int compare_numbers(uint64_t a, bool a_unsigned, uint64_t b, bool b_unsigned)
{
    bool a_negative = !a_unsigned && a >> 63, b_negative = !b_unsigned && b >> 63;
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    return (a > b) - (a < b); /* two's complement keeps the order within one sign */
}

static int compare_bytes(span a, span b, bool fold)
{
    size_t least = a.size < b.size ? a.size : b.size, i;
    if (!fold) {
        int order = least ? memcmp(a.data, b.data, least) : 0;
        return order ? order : (a.size > b.size) - (a.size < b.size);
    }
    for (i = 0; i < least; i++) {
        uint8_t one = lower(a.data[i]);
        if (one != b.data[i])
            return one < b.data[i] ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static bool related_floats(unsigned relation, double a, double b)
{
    switch (relation) {
    case 0: return a < b;
    case 1: return a <= b;
    case 2: return a > b;
    case 3: return a >= b;
    case 4: return a == b;
    case 5: return a != b;
    default: return false;
    }
}

static bool is_number(const value *v)
{
    return v->form.shape == BAG_SIGNED || v->form.shape == BAG_UNSIGNED || v->form.shape == BAG_BOOLEAN;
}

/* The operands of a comparison with a constant. */
typedef struct {
    unsigned op, relation, level, ignore;
    uint64_t bits;
    bool is_unsigned, is_text;
    double number;
    span bytes;
} constant_test;

static bool starts(span text, span wanted, bool fold, size_t at)
{
    size_t i;
    if (wanted.size > text.size - at)
        return false;
    if (!fold)
        return wanted.size == 0 || memcmp(text.data + at, wanted.data, wanted.size) == 0;
    for (i = 0; i < wanted.size; i++)
        if (lower(text.data[at + i]) != wanted.data[i])
            return false;
    return true;
}

static int content(const value *v, const constant_test *t)
{
    bool fold = t->ignore & 1;
    size_t at;
    if (v->form.shape != BAG_TEXT && v->form.shape != BAG_BYTES && v->form.shape != BAG_GUID)
        return 0;
    if ((v->form.shape == BAG_TEXT) != t->is_text)
        return 0;
    if (t->is_text && !is_ascii(v->bytes))
        return 2;
    if (t->level == 2)
        return starts(v->bytes, t->bytes, fold, 0);
    if (t->level != 1)
        return v->bytes.size == t->bytes.size && starts(v->bytes, t->bytes, fold, 0);
    for (at = 0; at + t->bytes.size <= v->bytes.size; at++)
        if (starts(v->bytes, t->bytes, fold, at))
            return 1;
    return 0;
}

static int test_one(const value *v, const constant_test *t)
{
    switch (t->op) {
    case OP_NUMBER:
        if (!is_number(v))
            return 2;
        return related(t->relation, compare_numbers(v->bits, v->form.shape != BAG_SIGNED, t->bits, t->is_unsigned));
    case OP_FLOAT: return v->form.shape == BAG_FLOAT ? related_floats(t->relation, v->number, t->number) : 2;
    case OP_TEXT:
        if (v->form.shape != BAG_TEXT || !is_ascii(v->bytes))
            return 2;
        return related(t->relation, compare_bytes(v->bytes, t->bytes, true));
    case OP_BINARY:
        if (v->form.shape != BAG_BYTES && v->form.shape != BAG_GUID)
            return 2;
        return related(t->relation, compare_bytes(v->bytes, t->bytes, false));
    default: return content(v, t);
    }
}

static int test_any(const value *v, const constant_test *t)
{
    size_t count, i;
    int result = 0;
    if (v->state == VALUE_ASK)
        return 2;
    if (v->state == VALUE_NONE)
        return 0;
    if (!v->form.multiple)
        return test_one(v, t);
    count = value_count(v);
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        int each = test_one(&one, t);
        if (each == 1)
            return 1;
        result = each > result ? each : result;
    }
    return result;
}

/* One character of UTF-8 (surrogates pass); 0 bytes: not UTF-8. */
static size_t utf8_next(const uint8_t *p, size_t left, uint32_t *c)
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

static bool value_size(const value *v, uint64_t *size)
{
    size_t count = value_count(v), i;
    *size = 0;
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        if (one.form.shape == BAG_TEXT) {
            size_t at = 0;
            while (at < one.bytes.size) {
                uint32_t c;
                size_t n = utf8_next(one.bytes.data + at, one.bytes.size - at, &c);
                if (n == 0)
                    return false;
                *size += c > 0xFFFF ? 4 : 2;
                at += n;
            }
        } else {
            *size += one.form.shape == BAG_BYTES ? one.bytes.size : one.form.size;
        }
    }
    return true;
}

static int compare_values(const value *a, const value *b, unsigned relation)
{
    if (a->state == VALUE_ASK || b->state == VALUE_ASK)
        return 2;
    if (a->state == VALUE_NONE || b->state == VALUE_NONE)
        return 0;
    if (a->form.multiple || b->form.multiple)
        return 2;
    if (is_number(a) && is_number(b))
        return related(relation, compare_numbers(a->bits, a->form.shape != BAG_SIGNED, b->bits, b->form.shape != BAG_SIGNED));
    if (a->form.shape == BAG_FLOAT && b->form.shape == BAG_FLOAT)
        return related_floats(relation, a->number, b->number);
    if (a->form.shape == BAG_TEXT && b->form.shape == BAG_TEXT && is_ascii(a->bytes) && is_ascii(b->bytes)) {
        size_t least = a->bytes.size < b->bytes.size ? a->bytes.size : b->bytes.size, i;
        for (i = 0; i < least; i++) {
            uint8_t one = lower(a->bytes.data[i]), other = lower(b->bytes.data[i]);
            if (one != other)
                return related(relation, one < other ? -1 : 1);
        }
        return related(relation, (a->bytes.size > b->bytes.size) - (a->bytes.size < b->bytes.size));
    }
    if (a->form.shape == BAG_BYTES && b->form.shape == BAG_BYTES)
        return related(relation, compare_bytes(a->bytes, b->bytes, false));
    return 2;
}

static span read_span(reader *p)
{
    span s;
    s.size = read_u16le(p);
    s.data = read_bytes(p, s.size);
    return s;
}

/* Runs (r not NULL) or only reads (r NULL) one operation; 0, 1, 2, or -1 for a program that is none. */
static int step(reader *p, row *r, const slot_table *table, size_t slots, unsigned depth)
{
    unsigned op = read_u8(p), parts;
    uint64_t size;
    size_t one, other;
    value v, w;
    constant_test t;
    int result, each;
    if (depth > MAX_PROGRAM_DEPTH || p->failed)
        return -1;
    switch (op) {
    case OP_AND:
    case OP_OR:
        result = op == OP_AND;
        for (parts = read_u16le(p); parts && !p->failed; parts--) {
            /* once it is decided, the rest is only read */
            each = step(p, result == (op == OP_OR) ? NULL : r, table, slots, depth + 1);
            if (each < 0)
                return -1;
            if (r == NULL || result == (op == OP_OR))
                continue;
            if (each == (op == OP_OR))
                result = each;
            else if (each == 2)
                result = 2;
        }
        return p->failed ? -1 : result;
    case OP_NOT:
        each = step(p, r, table, slots, depth + 1);
        return each < 0 || each == 2 ? each : !each;
    case OP_TRUE: return 1;
    case OP_FALSE: return 0;
    case OP_ASK: return 2;
    default: break;
    }
    memset(&t, 0, sizeof t);
    t.op = op;
    one = read_u16le(p);
    other = one;
    if (op == OP_CONTENT) {
        t.level = read_u8(p);
        t.ignore = read_u8(p);
        t.is_text = read_u8(p) != 0;
    } else if (op != OP_EXIST) {
        t.relation = read_u8(p);
    }
    switch (op) {
    case OP_EXIST: break;
    case OP_BIT_MASK:
    case OP_SIZE: t.bits = read_u64le(p); break;
    case OP_NUMBER:
        t.bits = read_u64le(p);
        t.is_unsigned = read_u8(p) != 0;
        break;
    case OP_FLOAT:
        t.bits = read_u64le(p);
        memcpy(&t.number, &t.bits, 8);
        break;
    case OP_TEXT:
    case OP_BINARY:
    case OP_CONTENT: t.bytes = read_span(p); break;
    case OP_COMPARE: other = read_u16le(p); break;
    default: return -1;
    }
    if (p->failed || one >= slots || other >= slots)
        return -1;
    if (r == NULL)
        return 0;
    v = row_value(r, table, one);
    switch (op) {
    case OP_EXIST: return v.state == VALUE_ASK ? 2 : v.state == VALUE_HERE;
    case OP_BIT_MASK:
        if (v.state != VALUE_HERE)
            return v.state == VALUE_ASK ? 2 : 0;
        return !v.form.multiple && is_number(&v) && ((v.bits & t.bits) != 0) == (t.relation != 0);
    case OP_SIZE:
        if (v.state != VALUE_HERE)
            return v.state == VALUE_ASK ? 2 : 0;
        if (table->slots[one].source != SLOT_BAG && v.form.shape != BAG_TEXT)
            size = bag_form_of((uint16_t)table->slots[one].tag).size;
        else if (!value_size(&v, &size))
            return 2;
        return related(t.relation, (size > t.bits) - (size < t.bits));
    case OP_COMPARE:
        w = row_value(r, table, other);
        return compare_values(&v, &w, t.relation);
    default: return test_any(&v, &t);
    }
}

bool program_check(const uint8_t *program, size_t size, size_t slots)
{
    reader p = reader_of(program, size);
    return step(&p, NULL, NULL, slots, 0) >= 0 && reader_left(&p) == 0;
}

int row_matches(row *r, const slot_table *table, const uint8_t *program, size_t size)
{
    reader p = reader_of(program, size);
    int result = step(&p, r, table, table->count, 0);
    return result < 0 ? 2 : result;
}

/* ---- property rows */

enum { MAX_CELL = 510, MAX_CELL_CHARACTERS = 255, EC_NOT_FOUND = 0x8004010F };
enum { STANDARD_ROW = 0, FLAGGED_ROW = 1, FLAG_VALUE = 0x00, FLAG_ERROR = 0x0A };

static bool put_utf16(writer *out, span text, size_t most)
{
    size_t at = 0, count;
    bool ended = false;
    for (count = 0; at < text.size; count++) {
        uint32_t c;
        size_t n = utf8_next(text.data + at, text.size - at, &c);
        if (n == 0)
            return false;
        at += n;
        if (c == 0 || count >= most)
            ended = true;
        if (ended)
            continue; /* what is left is only checked, as Python does by decoding it */
        if (c > 0xFFFF) {
            write_u16le(out, (uint16_t)(0xD800 + ((c - 0x10000) >> 10)));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        write_u16le(out, (uint16_t)c);
    }
    write_u16le(out, 0);
    return true;
}

static bool put_cell_value(writer *out, const value *v, uint16_t type, bool whole)
{
    bag_form form = bag_form_of(type);
    size_t n;
    switch (form.shape) {
    case BAG_SIGNED:
    case BAG_UNSIGNED:
    case BAG_BOOLEAN:
        if (!is_number(v))
            return false;
        write_uintle(out, v->bits, form.size);
        return true;
    case BAG_FLOAT:
    case BAG_GUID:
        if (v->form.shape != form.shape || v->bytes.size != form.size)
            return false;
        write_bytes(out, v->bytes.data, form.size);
        return true;
    case BAG_TEXT: return v->form.shape == BAG_TEXT && put_utf16(out, v->bytes, whole ? SIZE_MAX : MAX_CELL_CHARACTERS);
    case BAG_BYTES:
        n = v->bytes.size;
        if (n > MAX_CELL && !whole)
            n = MAX_CELL;
        if (v->form.shape != BAG_BYTES || n > 0xFFFF)
            return false;
        write_u16le(out, (uint16_t)n);
        write_bytes(out, v->bytes.data, n);
        return true;
    default: return false;
    }
}

static bool put_cell(writer *out, const value *v, uint16_t type)
{
    size_t count, i;
    if ((type & 0xEFFF) != 0x0102 && (type & 0xEFFF) != 0x00FB && bag_form_of(type).shape == BAG_BYTES)
        return false; /* objects, restrictions, actions: Python knows */
    if (!(type & 0x1000))
        return !v->form.multiple && put_cell_value(out, v, type, false);
    if (!v->form.multiple)
        return false;
    count = value_count(v);
    write_u32le(out, (uint32_t)count);
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        if (!put_cell_value(out, &one, type & 0xEFFF, true))
            return false;
    }
    return true;
}

enum value_state row_pack(row *r, const slot_table *table, const uint16_t *columns, size_t count, writer *out)
{
    size_t start = out->size, i;
    bool flagged = false;
again:
    write_u8(out, flagged ? FLAGGED_ROW : STANDARD_ROW);
    for (i = 0; i < count; i++) {
        value v = row_value(r, table, columns[i]);
        if (v.state == VALUE_NONE && !flagged) {
            out->size = start;
            flagged = true;
            goto again;
        }
        if (v.state == VALUE_NONE) {
            write_u8(out, FLAG_ERROR);
            write_u32le(out, (uint32_t)EC_NOT_FOUND);
            continue;
        }
        if (flagged)
            write_u8(out, FLAG_VALUE);
        if (v.state == VALUE_ASK || !put_cell(out, &v, (uint16_t)table->slots[columns[i]].tag)) {
            out->size = start;
            return VALUE_ASK;
        }
    }
    return VALUE_HERE;
}
