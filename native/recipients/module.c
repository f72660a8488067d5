/* Python binding: appliance.formats.recipients._native, stable ABI of 3.11.
 *
 * rows(bags, code_page) -> (columns, rows) | None. Recipients are few: the GIL is kept. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "recipients.h"

static PyObject *columns_of(const recipient_columns *columns)
{
    PyObject *made = PyTuple_New((Py_ssize_t)columns->count);
    size_t i;
    for (i = 0; made && i < columns->count; i++) {
        PyObject *tag = PyLong_FromUnsignedLong(columns->tags[i]);
        if (tag == NULL || PyTuple_SetItem(made, (Py_ssize_t)i, tag) < 0)
            Py_CLEAR(made);
    }
    return made;
}

/* A bag whose places are all in order. */
static bool whole_bag(bag *b, const char *data, Py_ssize_t size)
{
    bag_problem problem;
    bag_place place;
    int64_t last = -1;
    size_t i, at;
    if (!bag_open(b, (const uint8_t *)data, (size_t)size, &problem) || !bag_check_length(b, &problem))
        return false;
    for (i = 0, at = b->base; i < b->count; i++, at = place.end) {
        if (!bag_step(b, i, last, at, &place, &problem))
            return false;
        last = bag_tag(b, i);
    }
    return true;
}

/* The bags of a list of bytes; -1 with an exception, 0: one of them is damaged. */
static int bags_of(PyObject *list, Py_ssize_t count, bag *bags)
{
    Py_ssize_t i;
    for (i = 0; i < count; i++) {
        PyObject *packed = PyList_GetItem(list, i);
        char *data;
        Py_ssize_t size;
        if (packed == NULL || PyBytes_AsStringAndSize(packed, &data, &size) < 0)
            return -1;
        if (!whole_bag(&bags[i], data, size))
            return 0;
    }
    return 1;
}

static PyObject *rows_of(const bag *bags, Py_ssize_t count, uint16_t code_page)
{
    recipient_columns columns = {{0}, 0};
    PyObject *rows = PyList_New(count), *tags, *result = NULL;
    Py_ssize_t i;
    bool known = true;
    for (i = 0; i < count && known; i++)
        known = recipient_add_columns(&columns, &bags[i]);
    for (i = 0; rows && i < count && known; i++) {
        writer out = {0};
        PyObject *row;
        known = recipient_put(&out, &bags[i], &columns, code_page);
        row = known ? PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size) : NULL;
        writer_free(&out);
        if (known && (row == NULL || PyList_SetItem(rows, i, row) < 0))
            Py_CLEAR(rows);
    }
    if (rows && !known) {
        Py_DECREF(rows);
        Py_RETURN_NONE;
    }
    tags = rows ? columns_of(&columns) : NULL;
    if (tags)
        result = PyTuple_Pack(2, tags, rows);
    Py_XDECREF(tags);
    Py_XDECREF(rows);
    return result;
}

static PyObject *module_rows(PyObject *module, PyObject *args)
{
    PyObject *list, *result = NULL;
    unsigned short code_page;
    Py_ssize_t count;
    bag *bags;
    int good;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!H", &PyList_Type, &list, &code_page))
        return NULL;
    count = PyList_Size(list);
    bags = (bag *)PyMem_Calloc((size_t)count + 1, sizeof *bags);
    if (bags == NULL)
        return PyErr_NoMemory();
    good = bags_of(list, count, bags);
    if (good == 1)
        result = rows_of(bags, count, code_page);
    else if (good == 0)
        result = Py_NewRef(Py_None);
    PyMem_Free(bags);
    return result;
}

static PyMethodDef module_methods[] = {
    {"rows", module_rows, METH_VARARGS, "Columns and rows of recipients."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {PyModuleDef_HEAD_INIT, "_native", "Rows of recipients.", 0, module_methods,
                                 NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&module_def); }
