/* Python binding of the lines: appliance.formats.lines._native, stable ABI of 3.11.
 *
 * look(data) -> (end or -1, bare, dots); bare(data) -> bool. Both go over 64 KiB in some microseconds, less than giving
 * the GIL away may cost. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "lines.h"

static PyObject *module_look(PyObject *module, PyObject *object)
{
    Py_buffer view;
    lines_found found;
    (void)module;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    found = lines_look((const uint8_t *)view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return Py_BuildValue("nNN", found.end == LINES_NO_END ? (Py_ssize_t)-1 : (Py_ssize_t)found.end,
                         PyBool_FromLong(found.bare), PyBool_FromLong(found.dots));
}

static PyObject *module_bare(PyObject *module, PyObject *object)
{
    Py_buffer view;
    bool bare;
    (void)module;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    bare = lines_bare((const uint8_t *)view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return PyBool_FromLong(bare);
}

static PyModuleDef_Slot module_slots[] = {{0, NULL}};

static PyMethodDef module_methods[] = {
    {"look", module_look, METH_O, "Where DATA ends, whether a CR or LF stands alone, whether lines begin with dots."},
    {"bare", module_bare, METH_O, "Whether a CR or LF stands alone."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "Lines on the wire.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
