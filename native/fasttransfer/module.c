/* Python binding: appliance.formats.fasttransfer._native, stable ABI of 3.11.
 *
 * pack(props, strings, names), cut(data, start, limit, place): the functions of
 * appliance/formats/fasttransfer/reference.py, with its errors. Property lists are small: the GIL is kept. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "fasttransfer.h"

enum { UNICODE = 0, CODE_PAGE_UNICODE = 0x84B0, FIRST_NAMED = 0x8000 };

typedef struct {
    PyObject *decode_error, *encode_error, *name_of, *encode, *place;
} state;

static bool wide(long strings) { return strings == UNICODE || strings == CODE_PAGE_UNICODE; }

static uint32_t string_type(long strings)
{
    if (strings == UNICODE)
        return FX_STRING;
    return strings == CODE_PAGE_UNICODE ? CODE_PAGE_UNICODE : FX_STRING8;
}

/* ---- values; each is -1 with an exception set on failure */

static int put_integer(writer *w, PyObject *value, unsigned size, bool is_signed)
{
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "no integer");
        return -1;
    }
    if (overflow > 0 && size == 8) {
        unsigned long long big = PyLong_AsUnsignedLongLong(value);
        if (PyErr_Occurred())
            return -1;
        write_u64le(w, big);
        return 0;
    }
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (overflow || (number < 0 && !is_signed) ||
        (size < 8 && (number >= 1ll << 8 * size || number < -(1ll << (8 * size - 1))))) {
        PyErr_SetString(PyExc_OverflowError, "out of range");
        return -1;
    }
    write_uintle(w, (uint64_t)number, size);
    return 0;
}

static int put_float(writer *w, PyObject *value, unsigned size)
{
    double number = PyFloat_AsDouble(value);
    uint64_t bits = 0;
    if (number == -1.0 && PyErr_Occurred())
        return -1;
    if (size == 4) {
        float small = (float)number;
        uint32_t half;
        if (small - small != 0 && number - number == 0) {
            PyErr_SetString(PyExc_OverflowError, "out of range");
            return -1;
        }
        memcpy(&half, &small, 4);
        bits = half;
    } else {
        memcpy(&bits, &number, 8);
    }
    write_uintle(w, bits, size);
    return 0;
}

static int put_bytes(writer *w, PyObject *value)
{
    char *data;
    Py_ssize_t size;
    if (!PyBytes_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "no bytes");
        return -1;
    }
    if (PyBytes_AsStringAndSize(value, &data, &size) < 0)
        return -1;
    if ((uint64_t)size > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too long");
        return -1;
    }
    write_u32le(w, (uint32_t)size);
    write_bytes(w, data, (size_t)size);
    return 0;
}

/* Encoded text with its terminator; what follows a zero is cut off. */
static int put_encoded(writer *w, PyObject *encoded, unsigned unit)
{
    char *data;
    Py_ssize_t size, at;
    if (PyBytes_AsStringAndSize(encoded, &data, &size) < 0)
        return -1;
    for (at = 0; at + (Py_ssize_t)unit <= size; at += unit)
        if (data[at] == 0 && data[at + unit - 1] == 0)
            break;
    at = at + (Py_ssize_t)unit <= size ? at : size;
    write_u32le(w, (uint32_t)at + unit);
    write_bytes(w, data, (size_t)at);
    write_uintle(w, 0, unit);
    return 0;
}

static int put_text(state *s, writer *w, PyObject *value, long strings)
{
    PyObject *encoded;
    const char *text;
    Py_ssize_t size;
    int result;
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "no text");
        return -1;
    }
    if (!wide(strings)) {
        encoded = PyObject_CallFunction(s->encode, "Ol", value, strings);
        result = encoded ? put_encoded(w, encoded, 1) : -1;
        Py_XDECREF(encoded);
        return result;
    }
    text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text) {
        fx_write_text(w, (const uint8_t *)text, (size_t)size);
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return -1;
    PyErr_Clear(); /* lone surrogates */
    encoded = PyUnicode_AsEncodedString(value, "utf-16-le", "surrogatepass");
    result = encoded ? put_encoded(w, encoded, 2) : -1;
    Py_XDECREF(encoded);
    return result;
}

static int put_one(state *s, writer *w, uint32_t kind, PyObject *value, long strings)
{
    switch (kind) {
    case FX_INTEGER16: return put_integer(w, value, 2, true);
    case FX_INTEGER32: return put_integer(w, value, 4, true);
    case FX_CURRENCY:
    case FX_INTEGER64: return put_integer(w, value, 8, true);
    case FX_TIME: return put_integer(w, value, 8, false);
    case FX_FLOATING32: return put_float(w, value, 4);
    case FX_FLOATING64:
    case FX_FLOATING_TIME: return put_float(w, value, 8);
    case FX_BOOLEAN: {
        int truth = PyObject_IsTrue(value);
        if (truth >= 0)
            write_u16le(w, (uint16_t)truth);
        return truth < 0 ? -1 : 0;
    }
    case FX_GUID:
        if (!PyBytes_Check(value) || PyBytes_Size(value) != 16) {
            PyErr_SetString(PyExc_ValueError, "no Guid");
            return -1;
        }
        write_bytes(w, PyBytes_AsString(value), 16);
        return 0;
    case FX_STRING:
    case FX_STRING8: return put_text(s, w, value, strings);
    default: return put_bytes(w, value);
    }
}

static int put_multiple(state *s, writer *w, uint32_t kind, PyObject *values, long strings)
{
    Py_ssize_t count, i;
    if (!PyTuple_Check(values) && !PyList_Check(values)) {
        PyErr_SetString(PyExc_TypeError, "no values");
        return -1;
    }
    count = PySequence_Size(values);
    write_u32le(w, (uint32_t)count);
    for (i = 0; i < count; i++) {
        PyObject *one = PySequence_GetItem(values, i);
        int result = one ? put_one(s, w, kind, one, strings) : -1;
        Py_XDECREF(one);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* ---- property lists */

static int put_name(writer *w, PyObject *names, uint32_t number, bool *known)
{
    PyObject *key, *name;
    *known = true;
    if (number < FIRST_NAMED)
        return 0;
    key = PyLong_FromUnsignedLong(number);
    name = key ? PyObject_CallMethod(names, "get", "O", key) : NULL;
    Py_XDECREF(key);
    if (name == NULL)
        return -1;
    if (name == Py_None)
        *known = false;
    else if (PyBytes_Check(name))
        write_bytes(w, PyBytes_AsString(name), (size_t)PyBytes_Size(name));
    else
        PyErr_SetString(PyExc_TypeError, "a name that is not bytes");
    Py_DECREF(name);
    return PyErr_Occurred() ? -1 : 0;
}

static int put_prop(state *s, writer *w, uint32_t tag, PyObject *value, long strings, PyObject *names)
{
    uint32_t kind = tag & 0xFFFF, number = tag >> 16, element = kind & ~(uint32_t)FX_MULTIPLE;
    size_t start = w->size;
    bool known, multiple = fx_multiple(kind);
    if ((!fx_fixed(kind) && !fx_varying(kind) && !multiple) || kind & FX_CODE_PAGE)
        return 0;
    if (tag == FX_IDSET_GIVEN) {
        write_u32le(w, tag);
        return put_bytes(w, value);
    }
    if (multiple && strings == CODE_PAGE_UNICODE)
        strings = UNICODE; /* code page types are single */
    if ((multiple ? element : kind) == FX_STRING || (multiple ? element : kind) == FX_STRING8)
        kind = string_type(strings) | (multiple ? FX_MULTIPLE : 0);
    write_u32le(w, number << 16 | kind);
    if (put_name(w, names, number, &known) < 0)
        return -1;
    if (!known) {
        w->size = start;
        return 0;
    }
    return multiple ? put_multiple(s, w, element, value, strings) : put_one(s, w, element, value, strings);
}

/* What the reference raises for values that do not fit; other exceptions stay. */
static void refuse(state *s, PyObject *tag)
{
    PyObject *name, *what, *error;
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_OverflowError))
        return;
    PyErr_Clear();
    name = PyObject_CallFunctionObjArgs(s->name_of, tag, NULL);
    what = name ? PyUnicode_FromFormat("value of %U", name) : NULL;
    error = what ? PyObject_CallFunctionObjArgs(s->encode_error, what, NULL) : NULL;
    if (error)
        PyErr_SetObject(s->encode_error, error);
    Py_XDECREF(name);
    Py_XDECREF(what);
    Py_XDECREF(error);
}

static int put_pair(state *s, writer *w, PyObject *pair, long strings, PyObject *names)
{
    PyObject *tag, *value;
    unsigned long number;
    int result = -1;
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "no pair of tag and value");
        return -1;
    }
    tag = PyTuple_GetItem(pair, 0);
    value = PyTuple_GetItem(pair, 1);
    number = PyLong_AsUnsignedLong(tag);
    if (number == (unsigned long)-1 && PyErr_Occurred())
        return -1;
    result = put_prop(s, w, (uint32_t)number, value, strings, names);
    if (result < 0)
        refuse(s, tag);
    return result;
}

static PyObject *module_pack(PyObject *module, PyObject *args)
{
    state *s = (state *)PyModule_GetState(module);
    PyObject *props, *names, *iterator, *pair, *result = NULL;
    long strings;
    writer w = {0};
    if (!PyArg_ParseTuple(args, "OlO", &props, &strings, &names))
        return NULL;
    iterator = PyObject_GetIter(props);
    if (iterator == NULL)
        return NULL;
    while ((pair = PyIter_Next(iterator))) {
        int put = put_pair(s, &w, pair, strings, names);
        Py_DECREF(pair);
        if (put < 0)
            break;
    }
    if (!PyErr_Occurred()) {
        if (w.failed)
            PyErr_NoMemory();
        else
            result = PyBytes_FromStringAndSize((const char *)w.data, (Py_ssize_t)w.size);
    }
    Py_DECREF(iterator);
    writer_free(&w);
    return result;
}

/* ---- cutting */

static PyObject *raise_cut(state *s, fx_status status, uint32_t found, size_t at)
{
    char hex[8];
    PyObject *what, *error;
    PyOS_snprintf(hex, sizeof hex, "0x%04X", found & 0xFFFF);
    what = status == FX_BAD_TYPE ? PyUnicode_FromFormat("property type %s", hex)
                                 : PyUnicode_FromFormat("kind of name %u", found);
    error = what ? PyObject_CallFunction(s->decode_error, "On", what, (Py_ssize_t)at) : NULL;
    if (error)
        PyErr_SetObject(s->decode_error, error);
    Py_XDECREF(what);
    Py_XDECREF(error);
    return NULL;
}

static PyObject *module_cut(PyObject *module, PyObject *args)
{
    state *s = (state *)PyModule_GetState(module);
    PyObject *data, *given = NULL, *place, *result;
    Py_ssize_t start, limit;
    unsigned long long left = 0, values = 0;
    unsigned long kind = 0, pending = 0;
    Py_buffer view;
    fx_place p;
    fx_status status;
    uint32_t found = 0;
    size_t at, end;
    if (!PyArg_ParseTuple(args, "Onn|O", &data, &start, &limit, &given))
        return NULL;
    if (given && !PyArg_ParseTuple(given, "KKkk", &left, &values, &kind, &pending))
        return NULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    end = (size_t)(limit < view.len ? limit : view.len);
    if (start < 0 || limit < start || (size_t)start > end) {
        PyBuffer_Release(&view);
        PyErr_SetString(PyExc_ValueError, "a limit before the start");
        return NULL;
    }
    p.left = left;
    p.values = values;
    p.kind = (uint32_t)kind;
    p.pending = (uint32_t)pending;
    at = (size_t)start;
    status = fx_cut((const uint8_t *)view.buf, &at, end, &p, &found);
    PyBuffer_Release(&view);
    if (status != FX_GOOD)
        return raise_cut(s, status, found, at);
    place = PyObject_CallFunction(s->place, "KKkk", (unsigned long long)p.left, (unsigned long long)p.values,
                                  (unsigned long)p.kind, (unsigned long)p.pending);
    result = place ? Py_BuildValue("nO", (Py_ssize_t)at, place) : NULL;
    Py_XDECREF(place);
    return result;
}

/* ---- the module */

static PyMethodDef module_methods[] = {
    {"pack", module_pack, METH_VARARGS, "The propValues of a list."},
    {"cut", module_cut, METH_VARARGS, "The last place up to a limit where the stream may be cut."},
    {NULL, NULL, 0, NULL},
};

static PyObject *imported(const char *module, const char *name)
{
    PyObject *found = PyImport_ImportModule(module);
    PyObject *attribute = found ? PyObject_GetAttrString(found, name) : NULL;
    Py_XDECREF(found);
    return attribute;
}

static int module_exec(PyObject *module)
{
    state *s = (state *)PyModule_GetState(module);
    s->decode_error = imported("appliance.wire.errors", "DecodeError");
    s->encode_error = imported("appliance.wire.errors", "EncodeError");
    s->name_of = imported("appliance.mapi.tags", "name_of");
    s->encode = imported("appliance.mapi.codepages", "encode");
    s->place = imported("appliance.formats.fasttransfer.reference", "Place");
    return s->decode_error && s->encode_error && s->name_of && s->encode && s->place ? 0 : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    state *s = (state *)PyModule_GetState(module);
    Py_VISIT(s->decode_error);
    Py_VISIT(s->encode_error);
    Py_VISIT(s->name_of);
    Py_VISIT(s->encode);
    Py_VISIT(s->place);
    return 0;
}

static int module_clear(PyObject *module)
{
    state *s = (state *)PyModule_GetState(module);
    Py_CLEAR(s->decode_error);
    Py_CLEAR(s->encode_error);
    Py_CLEAR(s->name_of);
    Py_CLEAR(s->encode);
    Py_CLEAR(s->place);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    "_native",
    "FastTransfer streams.",
    sizeof(state),
    module_methods,
    module_slots,
    module_traverse,
    module_clear,
    NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
