/* Python binding of packed bags: appliance.formats.bags._native, stable ABI of 3.11.
 *
 * get(data, tag), get_many(data, tags), tags(data), unpack(data), pack(bag): the functions of
 * appliance/formats/bags/reference.py, with its errors at its offsets. Bags are small: the GIL is kept. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdio.h>

#include "bags.h"

enum { MAX_PROPERTIES = 0xFFFF };

typedef struct {
    PyObject *decode_error, *encode_error, *name_of;
} state;

static void raise_decode(state *s, PyObject *what, size_t at)
{
    PyObject *error = what ? PyObject_CallFunction(s->decode_error, "On", what, (Py_ssize_t)at) : NULL;
    if (error)
        PyErr_SetObject(s->decode_error, error);
    Py_XDECREF(error);
    Py_XDECREF(what);
}

static void raise_problem(state *s, const bag_problem *p)
{
    static const char *const TEXTS[] = {
        [BAG_BAD_HEADER] = "bag header",
        [BAG_BAD_WIDTH] = "bag offset width",
        [BAG_BAD_TABLE] = "bag table",
        [BAG_BAD_LENGTH] = "bag values of another length",
        [BAG_BAD_ORDER] = "bag tags out of order",
        [BAG_BAD_ENDS] = "bag ends out of order",
        [BAG_BAD_BOOLEAN] = "Boolean that is neither 0 nor 1",
        [BAG_NO_COUNT] = "multi-value without count",
        [BAG_BAD_COUNT] = "multi-value count past the value",
        [BAG_BAD_FILL] = "multi-value that does not fill its place",
        [BAG_BAD_MULTIPLE_ENDS] = "multi-value ends out of order",
    };
    char type[8];
    unsigned found = (unsigned)p->found, wanted = (unsigned)p->wanted;
    PyObject *what;
    switch (p->fault) {
    case BAG_BAD_VERSION: what = PyUnicode_FromFormat("bag version %u", found); break;
    case BAG_BAD_TYPE:
        snprintf(type, sizeof type, "0x%04X", found & 0xFFFF);
        what = PyUnicode_FromFormat("property type %s", type);
        break;
    case BAG_BAD_SIZE:
        what = PyUnicode_FromFormat("value of %u bytes where its type has %u", found, wanted);
        break;
    case BAG_BAD_MULTIPLE:
        what = PyUnicode_FromFormat("multi-value of %u bytes where one takes %u", found, wanted);
        break;
    default: what = PyUnicode_FromString(TEXTS[p->fault]);
    }
    raise_decode(s, what, p->at);
}

/* ---- reading */

static PyObject *text_of(state *s, const uint8_t *data, size_t start, size_t end)
{
    PyObject *text = PyUnicode_DecodeUTF8((const char *)data + start, (Py_ssize_t)(end - start), "surrogatepass");
    PyObject *type, *error, *trace;
    Py_ssize_t at = 0;
    if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return text;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    PyUnicodeDecodeError_GetStart(error, &at);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    raise_decode(s, PyUnicode_FromString("String that is not UTF-8"), start + (size_t)at);
    return NULL;
}

static PyObject *float_of(const uint8_t *p, unsigned size)
{
    double number;
    if (size == 4) {
        uint32_t bits = bag_number(p, 4);
        float small;
        memcpy(&small, &bits, 4);
        number = small;
    } else {
        uint64_t bits = bag_u64(p);
        memcpy(&number, &bits, 8);
    }
    return PyFloat_FromDouble(number);
}

static PyObject *one_of(state *s, bag_form form, const uint8_t *data, size_t start, size_t end)
{
    const uint8_t *p = data + start;
    switch (form.shape) {
    case BAG_SIGNED:
        if (form.size == 2)
            return PyLong_FromLong((int16_t)bag_number(p, 2));
        if (form.size == 4)
            return PyLong_FromLong((int32_t)bag_number(p, 4));
        return PyLong_FromLongLong((int64_t)bag_u64(p));
    case BAG_UNSIGNED:
        return form.size == 4 ? PyLong_FromUnsignedLong(bag_number(p, 4)) : PyLong_FromUnsignedLongLong(bag_u64(p));
    case BAG_FLOAT: return float_of(p, form.size);
    case BAG_BOOLEAN: return PyBool_FromLong(*p);
    case BAG_TEXT: return text_of(s, data, start, end);
    case BAG_BYTES:
    case BAG_GUID: return PyBytes_FromStringAndSize((const char *)p, (Py_ssize_t)(end - start));
    default: Py_RETURN_NONE;
    }
}

static PyObject *value_of(state *s, const bag *b, uint16_t type, const bag_place *place)
{
    bag_form form = bag_form_of(type);
    bag_problem problem;
    size_t count, i;
    PyObject *made;
    if (!bag_check_value(b, type, place, &problem)) {
        raise_problem(s, &problem);
        return NULL;
    }
    if (!form.multiple)
        return one_of(s, form, b->data, place->start, place->end);
    count = form.size ? (place->end - place->start) / form.size : bag_number(b->data + place->start, 4);
    made = PyTuple_New((Py_ssize_t)count);
    for (i = 0; made && i < count; i++) {
        size_t start = place->start + i * form.size, end = start + form.size;
        PyObject *item;
        if (form.size == 0)
            bag_item(b, place, i, &start, &end);
        item = one_of(s, form, b->data, start, end);
        if (item == NULL || PyTuple_SetItem(made, (Py_ssize_t)i, item) < 0)
            Py_CLEAR(made);
    }
    return made;
}

static int open_bag(state *s, bag *b, const Py_buffer *view)
{
    bag_problem problem;
    if (bag_open(b, (const uint8_t *)view->buf, (size_t)view->len, &problem))
        return 0;
    raise_problem(s, &problem);
    return -1;
}

static PyObject *find(state *s, const bag *b, PyObject *number)
{
    unsigned long long tag = PyLong_AsUnsignedLongLong(number);
    bag_place place;
    bag_problem problem;
    if (tag == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    if (tag > 0xFFFFFFFF) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return NULL;
    }
    if (bag_find(b, (uint32_t)tag, &place, &problem))
        return value_of(s, b, (uint16_t)tag, &place);
    if (problem.fault == BAG_GOOD)
        Py_RETURN_NONE;
    raise_problem(s, &problem);
    return NULL;
}

static PyObject *module_get(PyObject *module, PyObject *args)
{
    state *s = (state *)PyModule_GetState(module);
    PyObject *number, *result = NULL;
    Py_buffer view;
    bag b;
    if (!PyArg_ParseTuple(args, "y*O", &view, &number))
        return NULL;
    if (open_bag(s, &b, &view) == 0)
        result = find(s, &b, number);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *module_get_many(PyObject *module, PyObject *args)
{
    state *s = (state *)PyModule_GetState(module);
    PyObject *wanted, *number, *made = NULL, *iterator = NULL;
    Py_buffer view;
    bag b;
    if (!PyArg_ParseTuple(args, "y*O", &view, &wanted))
        return NULL;
    if (open_bag(s, &b, &view) == 0 && (iterator = PyObject_GetIter(wanted)) != NULL)
        made = PyList_New(0);
    while (made && (number = PyIter_Next(iterator)) != NULL) {
        PyObject *value = find(s, &b, number);
        Py_DECREF(number);
        if (value == NULL || PyList_Append(made, value) < 0)
            Py_CLEAR(made);
        Py_XDECREF(value);
    }
    if (PyErr_Occurred())
        Py_CLEAR(made);
    Py_XDECREF(iterator);
    PyBuffer_Release(&view);
    return made;
}

static PyObject *module_tags(PyObject *module, PyObject *data)
{
    state *s = (state *)PyModule_GetState(module);
    PyObject *made = NULL;
    Py_buffer view;
    bag b;
    size_t i;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (open_bag(s, &b, &view) == 0)
        made = PyTuple_New((Py_ssize_t)b.count);
    for (i = 0; made && i < b.count; i++) {
        PyObject *tag = PyLong_FromUnsignedLong(bag_tag(&b, i));
        if (tag == NULL || PyTuple_SetItem(made, (Py_ssize_t)i, tag) < 0)
            Py_CLEAR(made);
    }
    PyBuffer_Release(&view);
    return made;
}

static PyObject *unpack(state *s, const bag *b)
{
    bag_problem problem;
    bag_place place;
    int64_t last = -1;
    size_t i, at = b->base;
    PyObject *made;
    if (!bag_check_length(b, &problem)) {
        raise_problem(s, &problem);
        return NULL;
    }
    made = PyDict_New();
    for (i = 0; made && i < b->count; i++) {
        uint32_t tag = bag_tag(b, i);
        PyObject *key, *value;
        if (!bag_step(b, i, last, at, &place, &problem)) {
            raise_problem(s, &problem);
            Py_CLEAR(made);
            break;
        }
        key = PyLong_FromUnsignedLong(tag);
        value = key ? value_of(s, b, (uint16_t)tag, &place) : NULL;
        if (value == NULL || PyDict_SetItem(made, key, value) < 0)
            Py_CLEAR(made);
        Py_XDECREF(key);
        Py_XDECREF(value);
        last = tag;
        at = place.end;
    }
    return made;
}

static PyObject *module_unpack(PyObject *module, PyObject *data)
{
    state *s = (state *)PyModule_GetState(module);
    PyObject *made = NULL;
    Py_buffer view;
    bag b;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (open_bag(s, &b, &view) == 0)
        made = unpack(s, &b);
    PyBuffer_Release(&view);
    return made;
}

/* ---- writing: each gives 0, or -1 when the value does not fit (with or without an error set) */

static int put_integer(writer *w, bag_form form, PyObject *value)
{
    uint64_t bits;
    int overflow = 0;
    long long number;
    if (!PyLong_Check(value))
        return -1;
    number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow < 0)
        return -1;
    if (overflow > 0) {
        bits = PyLong_AsUnsignedLongLong(value);
        if (PyErr_Occurred())
            return -1;
    } else if (number < 0 && (form.shape == BAG_UNSIGNED || (form.size < 8 && number < -(1LL << (8 * form.size - 1))))) {
        return -1;
    } else {
        bits = (uint64_t)number;
    }
    if ((overflow > 0 || number >= 0) && form.size < 8 && bits >> (8 * form.size))
        return -1;
    write_uintle(w, bits, form.size);
    return 0;
}

static int put_float(writer *w, bag_form form, PyObject *value)
{
    double number = PyFloat_AsDouble(value);
    uint64_t bits = 0;
    if (number == -1.0 && PyErr_Occurred())
        return -1;
    if (form.size == 4) {
        float small = (float)number;
        uint32_t half;
        if (small - small != 0 && number - number == 0) /* too big: infinite where the number is not */
            return -1;
        memcpy(&half, &small, 4);
        bits = half;
    } else {
        memcpy(&bits, &number, 8);
    }
    write_uintle(w, bits, form.size);
    return 0;
}

static int put_text(writer *w, PyObject *value)
{
    Py_ssize_t size;
    const char *data;
    char *copy;
    PyObject *bytes;
    if (!PyUnicode_Check(value))
        return -1;
    data = PyUnicode_AsUTF8AndSize(value, &size);
    if (data) {
        write_bytes(w, data, (size_t)size);
        return 0;
    }
    PyErr_Clear();
    bytes = PyUnicode_AsEncodedString(value, "utf-8", "surrogatepass");
    if (bytes == NULL || PyBytes_AsStringAndSize(bytes, &copy, &size) < 0) {
        Py_XDECREF(bytes);
        return -1;
    }
    write_bytes(w, copy, (size_t)size);
    Py_DECREF(bytes);
    return 0;
}

static int put_bytes(writer *w, bag_form form, PyObject *value)
{
    PyObject *bytes;
    Py_ssize_t size;
    char *data;
    bool guid = form.shape == BAG_GUID;
    if (!guid && !PyBytes_Check(value) && !PyByteArray_Check(value) && !PyMemoryView_Check(value))
        return -1;
    if (guid && PyObject_Size(value) != 16)
        return -1;
    bytes = PyBytes_FromObject(value);
    if (bytes == NULL)
        return -1;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) == 0)
        write_bytes(w, data, (size_t)size);
    Py_DECREF(bytes);
    return PyErr_Occurred() ? -1 : 0;
}

static int put_one(writer *w, bag_form form, PyObject *value)
{
    int truth;
    switch (form.shape) {
    case BAG_NULL: return value == Py_None ? 0 : -1;
    case BAG_SIGNED:
    case BAG_UNSIGNED: return put_integer(w, form, value);
    case BAG_FLOAT: return put_float(w, form, value);
    case BAG_TEXT: return put_text(w, value);
    case BAG_BYTES:
    case BAG_GUID: return put_bytes(w, form, value);
    case BAG_BOOLEAN:
        truth = PyObject_RichCompareBool(value, Py_True, Py_EQ);
        if (truth == 0 && PyObject_RichCompareBool(value, Py_False, Py_EQ) != 1)
            return -1;
        if (truth < 0)
            return -1;
        write_u8(w, (uint8_t)truth);
        return 0;
    default: return -1;
    }
}

static int put_fixed(writer *w, bag_form form, PyObject *values)
{
    PyObject *iterator = PyObject_GetIter(values), *item;
    int result = iterator ? 0 : -1;
    while (result == 0 && (item = PyIter_Next(iterator)) != NULL) {
        result = put_one(w, form, item);
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    return PyErr_Occurred() ? -1 : result;
}

static int put_varying(writer *w, bag_form form, PyObject *values)
{
    Py_ssize_t count, i;
    size_t ends, base;
    if (!PyTuple_Check(values) && !PyList_Check(values))
        return -1;
    count = PySequence_Size(values);
    if (count < 0 || (uint64_t)count > 0xFFFFFFFF)
        return -1;
    write_u32le(w, (uint32_t)count);
    ends = w->size;
    write_reserve(w, 4 * (size_t)count);
    base = w->size;
    for (i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(values, i);
        int result = item ? put_one(w, form, item) : -1;
        size_t end = w->size - base;
        unsigned k;
        Py_XDECREF(item);
        if (result < 0 || w->failed || end > 0xFFFFFFFF)
            return -1;
        for (k = 0; k < 4; k++)
            w->data[ends + 4 * (size_t)i + k] = (uint8_t)(end >> 8 * k);
    }
    return 0;
}

static void raise_encode(state *s, PyObject *tag, PyObject *value)
{
    PyObject *name, *kind;
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_MemoryError))
        return;
    PyErr_Clear();
    name = PyObject_CallFunctionObjArgs(s->name_of, tag, NULL);
    kind = name ? PyType_GetName(Py_TYPE(value)) : NULL;
    if (kind)
        PyErr_Format(s->encode_error, "%U cannot hold a %U of that value", name, kind);
    Py_XDECREF(name);
    Py_XDECREF(kind);
}

/* The values of the bag into `values`, tags and ends (8 bytes each) into `table`; whether a tag is too big. */
static int put_all(state *s, PyObject *mapping, PyObject *keys, writer *table, writer *values, bool *strange)
{
    Py_ssize_t count = PyList_Size(keys), i;
    for (i = 0; i < count; i++) {
        PyObject *key = PyList_GetItem(keys, i), *value;
        unsigned long long tag = PyLong_AsUnsignedLongLongMask(key);
        bag_form form = bag_form_of((uint16_t)tag);
        int overflow, result;
        long long exact;
        if (PyErr_Occurred())
            return -1;
        exact = PyLong_AsLongLongAndOverflow(key, &overflow);
        *strange = *strange || overflow || exact < 0 || exact > 0xFFFFFFFFLL;
        value = PyObject_GetItem(mapping, key);
        if (value == NULL)
            return -1;
        if (form.multiple)
            result = form.shape == BAG_NONE ? -1 : form.size ? put_fixed(values, form, value) : put_varying(values, form, value);
        else
            result = put_one(values, form, value);
        if (result < 0 || PyErr_Occurred())
            raise_encode(s, key, value);
        Py_DECREF(value);
        if (PyErr_Occurred())
            return -1;
        write_u32le(table, (uint32_t)tag);
        write_u64le(table, values->size);
    }
    return 0;
}

static PyObject *assemble(const writer *table, const writer *values, size_t count)
{
    unsigned width = values->size <= 0xFFFF ? 2 : 4;
    size_t head = BAG_HEADER + (4 + width) * count, i;
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(head + values->size));
    uint8_t *out = made ? (uint8_t *)PyBytes_AsString(made) : NULL;
    if (out == NULL)
        return NULL;
    out[0] = BAG_VERSION;
    out[1] = (uint8_t)width;
    out[2] = (uint8_t)count;
    out[3] = (uint8_t)(count >> 8);
    for (i = 0; i < count; i++) {
        memcpy(out + BAG_HEADER + 4 * i, table->data + 12 * i, 4);
        memcpy(out + BAG_HEADER + 4 * count + width * i, table->data + 12 * i + 4, width);
    }
    if (values->size)
        memcpy(out + head, values->data, values->size);
    return made;
}

static PyObject *module_pack(PyObject *module, PyObject *mapping)
{
    state *s = (state *)PyModule_GetState(module);
    Py_ssize_t count = PyObject_Size(mapping);
    PyObject *keys, *made = NULL;
    writer table = {0}, values = {0};
    bool strange = false;
    if (count < 0)
        return NULL;
    if (count > MAX_PROPERTIES)
        return PyErr_Format(s->encode_error, "%zd properties in one bag, at most %d", count, MAX_PROPERTIES);
    keys = PySequence_List(mapping);
    if (keys && PyList_Sort(keys) == 0 && put_all(s, mapping, keys, &table, &values, &strange) == 0) {
        if (table.failed || values.failed)
            PyErr_NoMemory();
        else if (values.size > 0xFFFFFFFF)
            PyErr_SetString(s->encode_error, "more than 4 GiB in one bag");
        else if (strange)
            PyErr_SetString(s->encode_error, "a property tag that is no 32-bit number");
        else
            made = assemble(&table, &values, (size_t)PyList_Size(keys));
    }
    Py_XDECREF(keys);
    writer_free(&table);
    writer_free(&values);
    return made;
}

/* ---- the module */

static PyObject *attribute(const char *module, const char *name)
{
    PyObject *found = PyImport_ImportModule(module);
    PyObject *value = found ? PyObject_GetAttrString(found, name) : NULL;
    Py_XDECREF(found);
    return value;
}

static int module_exec(PyObject *module)
{
    state *s = (state *)PyModule_GetState(module);
    s->decode_error = attribute("appliance.wire.errors", "DecodeError");
    s->encode_error = attribute("appliance.wire.errors", "EncodeError");
    s->name_of = attribute("appliance.mapi.tags", "name_of");
    return s->decode_error && s->encode_error && s->name_of ? 0 : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    state *s = (state *)PyModule_GetState(module);
    Py_VISIT(s->decode_error);
    Py_VISIT(s->encode_error);
    Py_VISIT(s->name_of);
    return 0;
}

static int module_clear(PyObject *module)
{
    state *s = (state *)PyModule_GetState(module);
    Py_CLEAR(s->decode_error);
    Py_CLEAR(s->encode_error);
    Py_CLEAR(s->name_of);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyMethodDef module_methods[] = {
    {"get", module_get, METH_VARARGS, "One value, or None."},
    {"get_many", module_get_many, METH_VARARGS, "The values of several tags."},
    {"tags", module_tags, METH_O, "The tags, ascending."},
    {"unpack", module_unpack, METH_O, "The whole bag."},
    {"pack", module_pack, METH_O, "The packed form."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "Packed property bags.", sizeof(state), module_methods, module_slots,
    module_traverse, module_clear, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
