/* Where the values of a row come from: its key, its hot row, its bag, constants (rows.h). */
#include "values.h"

/* ---- slots */

bool slots_read(slot_table *table, const uint8_t *data, size_t size)
{
    reader r = reader_of(data, size);
    bag_problem problem;
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
        s->state = read_u8(&r);
        s->other = read_u16le(&r);
        s->constant.size = read_u16le(&r);
        s->constant.data = read_bytes(&r, s->constant.size);
        s->form = bag_form_of((uint16_t)s->tag);
        s->packs = is_packed(s->tag);
        if (!r.failed && s->constant.size && !bag_open(&s->opened, s->constant.data, s->constant.size, &problem))
            s->opened.data = NULL;
        if (r.failed || s->source >= SLOT_SOURCES || s->state >= STATE_COUNT || (s->fallback & ~ASKS) >= ELSE_COUNT ||
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

static void take_scalar(value *v, const uint8_t *p)
{
    uint32_t half;
    float small;
    switch (v->form.shape) {
    case BAG_SIGNED:
        v->bits = v->form.size == 2   ? (uint64_t)(int64_t)(int16_t)bag_number(p, 2)
                  : v->form.size == 4 ? (uint64_t)(int64_t)(int32_t)bag_number(p, 4)
                                      : bag_u64(p);
        break;
    case BAG_UNSIGNED: v->bits = v->form.size == 4 ? bag_number(p, 4) : bag_u64(p); break;
    case BAG_BOOLEAN: v->bits = *p; break;
    case BAG_FLOAT:
        if (v->form.size == 4) {
            half = bag_number(p, 4);
            memcpy(&small, &half, 4);
            v->number = small;
        } else {
            uint64_t bits = bag_u64(p);
            memcpy(&v->number, &bits, 8);
        }
        break;
    default: break;
    }
}

value value_in(const bag *b, uint32_t tag, bag_form form)
{
    value v = nothing(VALUE_NONE);
    bag_problem problem;
    if (!bag_find(b, tag, &v.place, &problem)) {
        v.state = problem.fault == BAG_GOOD ? VALUE_NONE : VALUE_ASK;
        return v;
    }
    v.form = form;
    v.bytes.data = b->data + v.place.start;
    v.bytes.size = v.place.end - v.place.start;
    if (form.shape == BAG_NONE || form.multiple) {
        if (!bag_check_value(b, (uint16_t)tag, &v.place, &problem))
            return nothing(VALUE_ASK);
    } else if (form.shape != BAG_TEXT && form.shape != BAG_BYTES) {
        if (v.bytes.size != form.size || (form.shape == BAG_BOOLEAN && *v.bytes.data > 1))
            return nothing(VALUE_ASK);
    }
    v.state = form.shape == BAG_NULL ? VALUE_NONE : VALUE_HERE;
    v.in = b;
    if (!form.multiple)
        take_scalar(&v, v.bytes.data);
    return v;
}

static value constant(const slot *s)
{
    return s->opened.data ? value_in(&s->opened, s->tag, s->form) : nothing(VALUE_ASK);
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
static bool is_marked_absent(row *r, uint32_t tag)
{
    const uint8_t *p;
    size_t left;
    if (r->marks_state == 0) {
        bag_form form = bag_form_of(0x1003);
        value marks = value_in(&r->b, 0x66F11003u, form);
        r->marks_state = marks.state == VALUE_HERE ? 1 : -1;
        r->marks = marks.place;
    }
    if (r->marks_state < 0)
        return false;
    p = r->b.data + r->marks.start;
    for (left = r->marks.end - r->marks.start; left >= 4; left -= 4, p += 4)
        if (bag_number(p, 4) == tag)
            return true;
    return false;
}

/* ---- what follows from the subject (appliance/mapi/implied.py, conversation.split_subject) */

static value text_value(const uint8_t *data, size_t size)
{
    value v = nothing(VALUE_HERE);
    v.form.shape = BAG_TEXT;
    v.bytes.data = data;
    v.bytes.size = size;
    return v;
}

/* Bytes of the prefix: up to three letters, a colon and a space, and something behind them. -1: a letter may be
 * one that ASCII does not have. */
static int prefix_of(span subject)
{
    const uint8_t *p = subject.data;
    size_t i = 0, characters;
    bool foreign = false;
    for (characters = 0; i < subject.size; characters++) {
        uint32_t c;
        size_t n = value_utf8_next(p + i, subject.size - i, &c);
        if (n == 0)
            return -1;
        if (c == ':')
            break;
        if (characters == 3 || (c < 0x80 && (uint8_t)(lower((uint8_t)c) - 'a') >= 26))
            return 0;
        foreign = foreign || c >= 0x80;
        i += n;
    }
    if (characters == 0 || subject.size - i < 3 || p[i + 1] != ' ' || (subject.size - i == 3 && p[i + 2] == '\n'))
        return 0;
    return foreign ? -1 : (int)i + 2;
}

static value from_subject(row *r, unsigned what)
{
    enum { SUBJECT = 0x0037001F, PREFIX = 0x003D001F, NORMALIZED = 0x0E1D001F };
    bag_form form = bag_form_of(0x001F);
    value subject, v;
    size_t size;
    if (what == ELSE_TOPIC) {
        v = value_in(&r->b, NORMALIZED, form);
        if (v.state == VALUE_NONE && !is_marked_absent(r, NORMALIZED))
            v = from_subject(r, ELSE_NORMALIZED_SUBJECT);
        return v.state == VALUE_HERE && v.bytes.size == 0 ? nothing(VALUE_NONE) : v;
    }
    subject = value_in(&r->b, SUBJECT, form);
    if (subject.state == VALUE_ASK)
        return subject;
    if (subject.state == VALUE_NONE) {
        if (is_marked_absent(r, SUBJECT))
            return subject;
        subject = text_value(r->b.data, 0); /* an empty one is left out */
    }
    v = what == ELSE_NORMALIZED_SUBJECT ? value_in(&r->b, PREFIX, form) : nothing(VALUE_NONE);
    if (v.state == VALUE_ASK)
        return v;
    if (v.state == VALUE_HERE) {
        size = v.bytes.size < subject.bytes.size ? v.bytes.size : subject.bytes.size;
        if (!is_ascii(v.bytes) || !is_ascii((span){subject.bytes.data, size}))
            return nothing(VALUE_ASK);
    } else if (what == ELSE_NORMALIZED_SUBJECT && is_marked_absent(r, PREFIX)) {
        return nothing(VALUE_NONE);
    } else {
        int found = prefix_of(subject.bytes);
        if (found < 0)
            return nothing(VALUE_ASK);
        size = (size_t)found;
    }
    if (what == ELSE_SUBJECT_PREFIX)
        return text_value(subject.bytes.data, size);
    return text_value(subject.bytes.data + size, subject.bytes.size - size);
}

static value implied(row *r, const slot_table *table, const slot *s)
{
    value v;
    switch (s->fallback & ~ASKS) {
    case ELSE_CONSTANT: return constant(s);
    case ELSE_SAME: /* `other` is a later slot: this ends */
        v = row_value(r, table, s->other);
        return v.state == VALUE_HERE && table->slots[s->other].tag << 16 != s->tag << 16 ? nothing(VALUE_ASK) : v;
    case ELSE_SUBJECT_PREFIX:
    case ELSE_NORMALIZED_SUBJECT:
    case ELSE_TOPIC: return from_subject(r, s->fallback & ~ASKS);
    default: return nothing(VALUE_ASK);
    }
}

static bool is_no_icon(const slot *s, const value *v) { return s->state == STATE_ICON && v->bits == UINT64_MAX; }

static value signed_value(int64_t number)
{
    value v = nothing(VALUE_HERE);
    v.form.shape = BAG_SIGNED;
    v.form.size = 4;
    v.bits = (uint64_t)number;
    return v;
}

/* RowFlag and what it means for Outlook (store/tables/sources.py: ROW_STATE). */
static value with_state(const row *r, const slot *s, value v)
{
    uint32_t flags;
    if (s->state == STATE_NONE || v.state == VALUE_ASK)
        return v;
    if (r->input->hot.size < ROW_HOT)
        return nothing(VALUE_ASK);
    flags = bag_number(r->input->hot.data, 4);
    if (s->state == STATE_FOLLOWUP_ICON)
        return v.state == VALUE_NONE && flags & ROW_FLAGGED ? signed_value(6) : v;
    if (!(flags & (ROW_ANSWERED | ROW_FORWARDED)) || (v.state == VALUE_HERE && !is_no_icon(s, &v)))
        return v;
    if (s->state == STATE_LAST_VERB)
        return signed_value(flags & ROW_ANSWERED ? 102 : 104);
    return signed_value(flags & ROW_ANSWERED ? 0x105 : 0x106);
}

/* Whether Python may know a property that the bag lacks. */
static bool is_asked(const row *r, const slot *s, unsigned asks)
{
    asks &= s->fallback;
    if (!asks)
        return false;
    return r->input->hot.size < ROW_HOT || asks & ASK_COMPUTED ||
           (asks & ASK_TYPED && bag_number(r->input->hot.data + 14, 2) != CLASS_NOTE) ||
           (asks & ASK_KEYWORDS && r->input->hot.size > ROW_HOT);
}

static value from_bag(row *r, const slot_table *table, const slot *s)
{
    value v;
    if (r->bag_state == 0)
        open_cold(r);
    if (r->bag_state == -2)
        return nothing(VALUE_ASK);
    v = r->bag_state == 1 ? value_in(&r->b, s->tag, s->form) : nothing(VALUE_NONE);
    if ((v.state == VALUE_NONE || (v.state == VALUE_HERE && is_no_icon(s, &v))) && is_asked(r, s, ASK_TYPED))
        return nothing(VALUE_ASK);
    if (v.state == VALUE_NONE && r->bag_state == 1 && r->compact && (s->fallback & ~ASKS) && !is_marked_absent(r, s->tag))
        v = implied(r, table, s);
    v = with_state(r, s, v);
    return v.state == VALUE_NONE && is_asked(r, s, ASKS) ? nothing(VALUE_ASK) : v;
}

static uint32_t message_status(uint32_t flags)
{
    /* RowFlag to PidTagMessageStatus (MS-OXCMSG 2.2.1.8) */
    static const uint32_t MAP[][2] = {
        {0x40000, 0x01}, {0x80000, 0x02}, {0x20000, 0x04}, {0x1000000, 0x800}, {0x100000, 0x1000}, {0x200000, 0x2000},
    };
    uint32_t made = 0;
    size_t i;
    for (i = 0; i < sizeof MAP / sizeof *MAP; i++)
        if (flags & MAP[i][0])
            made |= MAP[i][1];
    return made;
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

static value instance_key(row *r, const uint8_t *key)
{
    value v = nothing(VALUE_HERE);
    memcpy(r->instance_key, key + 14, 8); /* the MID, and an instance number of zero */
    v.form.shape = BAG_BYTES;
    v.bytes.data = r->instance_key;
    v.bytes.size = sizeof r->instance_key;
    return v;
}

static value flag_status(uint32_t flags)
{
    return flags & ROW_COMPLETE ? unsigned_value(1) : flags & ROW_FLAGGED ? unsigned_value(2) : nothing(VALUE_NONE);
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
    case SLOT_MESSAGE_STATUS: return unsigned_value(message_status(bag_number(hot, 4)));
    case SLOT_INSTANCE_KEY: return instance_key(r, key);
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
        bag_item(v->in, &v->place, index, &place.start, &place.end);
    }
    one.form = v->form;
    one.form.multiple = false;
    one.in = v->in;
    one.place = place;
    one.bytes.data = v->in->data + place.start;
    one.bytes.size = place.end - place.start;
    take_scalar(&one, one.bytes.data);
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
