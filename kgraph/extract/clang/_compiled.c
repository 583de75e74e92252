/* The C extension: binds directly, without ctypes, what extraction calls for every syntax node.
 *
 * It is optional. Each function here replaces the Python function of the same name that is marked
 * `@prefer_extension` (accelerator.py), or the libclang function of that name, and does the same. It
 * changes how long reading takes and nothing else; `kgraph export --facts` shows it.
 *
 * You need no LLVM headers to build it: the structures below follow clang-c/Index.h of LLVM 16 to
 * 18, as those of ctypes_api.py do. The library is the one that api.py has loaded. It uses only the
 * limited API of Python, so one wheel serves Python 3.11 and later.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <structmember.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* ---- clang-c/Index.h ------------------------------------------------------------------------ */

typedef struct {
    int kind;
    int xdata;
    const void *data[3];
} CXCursor;

typedef struct {
    int kind;
    void *data[2];
} CXType;

typedef struct {
    const void *data[2];
    unsigned code;
} CXSourceLocation;

typedef struct {
    const void *data[2];
    unsigned begin;
    unsigned end;
} CXSourceRange;

typedef struct {
    const void *data;
    unsigned flags;
} CXString;

typedef int (*Visitor)(CXCursor, CXCursor, void *);
typedef int (*FieldVisitor)(CXCursor, void *);

enum { STOP = 0, NEXT = 1, RECURSE = 2 };

/* The functions of libclang that this file calls, grouped by the types of result and argument. All
 * but the INNER ones are also functions of this module, under their own names. */
#define CURSOR_TO_CURSOR(F) \
    F(clang_getCanonicalCursor) F(clang_getCursorDefinition) F(clang_getCursorReferenced) \
    F(clang_Cursor_getVarDeclInitializer) F(clang_getCursorSemanticParent)
#define CURSOR_TO_INT(F) \
    F(clang_isCursorDefinition) F(clang_getCursorLinkage) F(clang_Cursor_getStorageClass) \
    F(clang_Cursor_isBitField) F(clang_Cursor_isFunctionInlined) \
    F(clang_getCursorBinaryOperatorKind) F(clang_getCursorUnaryOperatorKind)
#define TYPE_TO_TYPE(F) \
    F(clang_getCanonicalType) F(clang_getPointeeType) F(clang_getArrayElementType)
#define ONE_OF_A_KIND(F) \
    F(long long, clang_getEnumConstantDeclValue, (CXCursor)) \
    F(long long, clang_getArraySize, (CXType)) \
    F(long long, clang_Type_getSizeOf, (CXType)) \
    F(unsigned, clang_isConstQualifiedType, (CXType)) \
    F(long long, clang_Cursor_getOffsetOfField, (CXCursor)) \
    F(CXCursor, clang_getTypeDeclaration, (CXType)) \
    F(CXType, clang_getCursorType, (CXCursor)) \
    F(CXSourceLocation, clang_getCursorLocation, (CXCursor)) \
    F(CXSourceRange, clang_getCursorExtent, (CXCursor)) \
    F(int, clang_Location_isFromMainFile, (CXSourceLocation)) \
    F(CXCursor, clang_getTranslationUnitCursor, (void *)) \
    F(CXSourceLocation, clang_getDiagnosticLocation, (void *))
#define INNER(F) \
    F(unsigned, clang_visitChildren, (CXCursor, Visitor, void *)) \
    F(unsigned, clang_Type_visitFields, (CXType, FieldVisitor, void *)) \
    F(CXString, clang_getCursorSpelling, (CXCursor)) \
    F(CXString, clang_getTypeSpelling, (CXType)) \
    F(CXString, clang_getCursorPrettyPrinted, (CXCursor, void *)) \
    F(void *, clang_getCursorPrintingPolicy, (CXCursor)) \
    F(void, clang_PrintingPolicy_dispose, (void *)) \
    F(const char *, clang_getCString, (CXString)) \
    F(void, clang_disposeString, (CXString)) \
    F(void, clang_getFileLocation, \
      (CXSourceLocation, void **, unsigned *, unsigned *, unsigned *)) \
    F(int, clang_Cursor_getNumArguments, (CXCursor)) \
    F(CXCursor, clang_Cursor_getArgument, (CXCursor, unsigned)) \
    F(void *, clang_Cursor_Evaluate, (CXCursor)) \
    F(int, clang_EvalResult_getKind, (void *)) \
    F(long long, clang_EvalResult_getAsLongLong, (void *)) \
    F(void, clang_EvalResult_dispose, (void *))

static struct {
#define POINTER(result, name, arguments) result (*name) arguments;
#define CURSOR_POINTER(name) CXCursor (*name)(CXCursor);
#define INT_POINTER(name) int (*name)(CXCursor);
#define TYPE_POINTER(name) CXType (*name)(CXType);
    CURSOR_TO_CURSOR(CURSOR_POINTER)
    CURSOR_TO_INT(INT_POINTER)
    TYPE_TO_TYPE(TYPE_POINTER)
    ONE_OF_A_KIND(POINTER)
    INNER(POINTER)
} clang;

/* ---- objects -------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    CXCursor value;
} Cursor;

typedef struct {
    Cursor cursor;
    PyObject *children; /* a list, or NULL while the node has none */
} Node;

typedef struct {
    PyObject_HEAD
    CXType value;
} Type;

typedef struct {
    PyObject_HEAD
    CXSourceLocation value;
} SourceLocation;

typedef struct {
    PyObject_HEAD
    CXSourceRange value;
} SourceRange;

static PyTypeObject *cursor_type, *node_type, *type_type, *location_type, *range_type;

static void release(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static void release_node(PyObject *self)
{
    Py_CLEAR(((Node *)self)->children);
    release(self);
}

/* Defines two functions for a structure. `box` wraps it in a Python object, or returns NULL with an
 * exception set. `unbox` takes it out of an argument, or returns 0 with an exception set. */
#define BOXED(Class, structure, type_object, box, unbox) \
    static PyObject *box(structure value) \
    { \
        Class *made = PyObject_New(Class, type_object); \
        if (made) \
            made->value = value; \
        return (PyObject *)made; \
    } \
    static int unbox(PyObject *object, structure *value) \
    { \
        if (!PyObject_TypeCheck(object, type_object)) { \
            PyErr_SetString(PyExc_TypeError, "expected a " #Class); \
            return 0; \
        } \
        *value = ((Class *)object)->value; \
        return 1; \
    }

BOXED(Cursor, CXCursor, cursor_type, box_cursor, to_cursor)
BOXED(Type, CXType, type_type, box_type, to_type)
BOXED(SourceLocation, CXSourceLocation, location_type, box_location, to_location)
BOXED(SourceRange, CXSourceRange, range_type, box_range, to_range)

static PyObject *take_text(CXString string)
{
    const char *raw = clang.clang_getCString(string);
    PyObject *made = raw ? PyUnicode_DecodeUTF8(raw, (Py_ssize_t)strlen(raw), "surrogateescape")
                         : PyUnicode_FromStringAndSize("", 0);
    clang.clang_disposeString(string);
    return made;
}

/* What identifies a cursor's entity: see get_key in api.py. */
static size_t key_of(const CXCursor *cursor)
{
    size_t statement = (size_t)cursor->data[1];
    return statement > 1 ? statement : (size_t)cursor->data[0];
}

static PyObject *get_key(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(key_of(&((Cursor *)self)->value));
}

static PyObject *get_self(PyObject *self, void *Py_UNUSED(closure))
{
    Py_INCREF(self);
    return self;
}

static PyObject *get_children(PyObject *self, void *Py_UNUSED(closure))
{
    Node *node = (Node *)self;
    if (!node->children && !(node->children = PyList_New(0)))
        return NULL;
    Py_INCREF(node->children);
    return node->children;
}

static PyMemberDef cursor_members[] = {
    {"kind", T_INT, offsetof(Cursor, value.kind), READONLY, NULL},
    {"d0", T_PYSSIZET, offsetof(Cursor, value.data[0]), READONLY, NULL},
    {"d1", T_PYSSIZET, offsetof(Cursor, value.data[1]), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyMemberDef type_members[] = {
    {"kind", T_INT, offsetof(Type, value.kind), READONLY, NULL},
    {"d0", T_PYSSIZET, offsetof(Type, value.data[0]), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyMemberDef location_members[] = {
    {"code", T_UINT, offsetof(SourceLocation, value.code), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyMemberDef range_members[] = {
    {"begin", T_UINT, offsetof(SourceRange, value.begin), READONLY, NULL},
    {"end", T_UINT, offsetof(SourceRange, value.end), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyGetSetDef node_attributes[] = {
    {"cursor", get_self, NULL, NULL, NULL},
    {"key", get_key, NULL, NULL, NULL},
    {"children", get_children, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot cursor_slots[] = {
    {Py_tp_dealloc, release}, {Py_tp_members, cursor_members}, {0, NULL}};
static PyType_Slot node_slots[] = {
    {Py_tp_dealloc, release_node}, {Py_tp_getset, node_attributes}, {0, NULL}};
static PyType_Slot type_slots[] = {
    {Py_tp_dealloc, release}, {Py_tp_members, type_members}, {0, NULL}};
static PyType_Slot location_slots[] = {
    {Py_tp_dealloc, release}, {Py_tp_members, location_members}, {0, NULL}};
static PyType_Slot range_slots[] = {
    {Py_tp_dealloc, release}, {Py_tp_members, range_members}, {0, NULL}};

#define SPEC(Class, flags, slots) \
    {"kgraph.extract.clang._compiled." #Class, sizeof(Class), 0, \
     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | (flags), slots}
static PyType_Spec cursor_spec = SPEC(Cursor, Py_TPFLAGS_BASETYPE, cursor_slots);
static PyType_Spec node_spec = SPEC(Node, 0, node_slots);
static PyType_Spec type_spec = SPEC(Type, 0, type_slots);
static PyType_Spec location_spec = SPEC(SourceLocation, 0, location_slots);
static PyType_Spec range_spec = SPEC(SourceRange, 0, range_slots);

/* ---- functions of libclang, one to one -------------------------------------------------------- */

#define WRAP(name, structure, unbox, box) \
    static PyObject *py_##name(PyObject *Py_UNUSED(module), PyObject *argument) \
    { \
        structure value; \
        return unbox(argument, &value) ? box(clang.name(value)) : NULL; \
    }
#define WRAP_CURSOR(name) WRAP(name, CXCursor, to_cursor, box_cursor)
#define WRAP_INT(name) WRAP(name, CXCursor, to_cursor, PyLong_FromLong)
#define WRAP_TYPE(name) WRAP(name, CXType, to_type, box_type)

static int to_handle(PyObject *object, void **value)
{
    *value = PyLong_AsVoidPtr(object);
    return !PyErr_Occurred();
}

CURSOR_TO_CURSOR(WRAP_CURSOR)
CURSOR_TO_INT(WRAP_INT)
TYPE_TO_TYPE(WRAP_TYPE)
WRAP(clang_getEnumConstantDeclValue, CXCursor, to_cursor, PyLong_FromLongLong)
WRAP(clang_getArraySize, CXType, to_type, PyLong_FromLongLong)
WRAP(clang_Type_getSizeOf, CXType, to_type, PyLong_FromLongLong)
WRAP(clang_isConstQualifiedType, CXType, to_type, PyLong_FromUnsignedLong)
WRAP(clang_Cursor_getOffsetOfField, CXCursor, to_cursor, PyLong_FromLongLong)
WRAP(clang_getTypeDeclaration, CXType, to_type, box_cursor)
WRAP(clang_getCursorType, CXCursor, to_cursor, box_type)
WRAP(clang_getCursorLocation, CXCursor, to_cursor, box_location)
WRAP(clang_getCursorExtent, CXCursor, to_cursor, box_range)
WRAP(clang_Location_isFromMainFile, CXSourceLocation, to_location, PyLong_FromLong)
WRAP(clang_getTranslationUnitCursor, void *, to_handle, box_cursor)
WRAP(clang_getDiagnosticLocation, void *, to_handle, box_location)

/* ---- functions of api.py ---------------------------------------------------------------------- */

static PyObject *py_get_key(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    return to_cursor(argument, &cursor) ? PyLong_FromSize_t(key_of(&cursor)) : NULL;
}

static PyObject *py_get_spelling(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    return to_cursor(argument, &cursor) ? take_text(clang.clang_getCursorSpelling(cursor)) : NULL;
}

static PyObject *py_get_type_spelling(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXType type;
    return to_type(argument, &type) ? take_text(clang.clang_getTypeSpelling(type)) : NULL;
}

static PyObject *py_print_declaration(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    CXString printed;
    void *policy;
    if (!to_cursor(argument, &cursor))
        return NULL;
    policy = clang.clang_getCursorPrintingPolicy(cursor);
    printed = clang.clang_getCursorPrettyPrinted(cursor, policy);
    clang.clang_PrintingPolicy_dispose(policy);
    return take_text(printed);
}

static PyObject *py_evaluate_integer(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    void *result;
    PyObject *made;
    if (!to_cursor(argument, &cursor))
        return NULL;
    result = clang.clang_Cursor_Evaluate(cursor);
    if (!result)
        Py_RETURN_NONE;
    if (clang.clang_EvalResult_getKind(result) == 1) {
        made = PyLong_FromLongLong(clang.clang_EvalResult_getAsLongLong(result));
    } else {
        Py_INCREF(Py_None);
        made = Py_None;
    }
    clang.clang_EvalResult_dispose(result);
    return made;
}

/* (file handle or None, line, column) */
static PyObject *decode_location(CXSourceLocation location)
{
    void *file = NULL;
    unsigned line = 0, column = 0, offset = 0;
    PyObject *handle, *made;
    clang.clang_getFileLocation(location, &file, &line, &column, &offset);
    if (file) {
        handle = PyLong_FromVoidPtr(file);
    } else {
        Py_INCREF(Py_None);
        handle = Py_None;
    }
    if (!handle || !(made = PyTuple_New(3))) {
        Py_XDECREF(handle);
        return NULL;
    }
    PyTuple_SetItem(made, 0, handle);
    PyTuple_SetItem(made, 1, PyLong_FromUnsignedLong(line));
    PyTuple_SetItem(made, 2, PyLong_FromUnsignedLong(column));
    if (PyErr_Occurred())
        Py_CLEAR(made);
    return made;
}

static PyObject *py_decode_location(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXSourceLocation location;
    return to_location(argument, &location) ? decode_location(location) : NULL;
}

static CXSourceLocation one_end(CXSourceRange range, unsigned code)
{
    CXSourceLocation location = {{range.data[0], range.data[1]}, code};
    return location;
}

static PyObject *py_get_start(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXSourceRange range;
    return to_range(argument, &range) ? box_location(one_end(range, range.begin)) : NULL;
}

static PyObject *py_get_end(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXSourceRange range;
    return to_range(argument, &range) ? box_location(one_end(range, range.end)) : NULL;
}

/* Appends an object to a list and drops our reference; 0 with an exception set if that fails. */
static int append(PyObject *list, PyObject *object)
{
    int failed = !object || PyList_Append(list, object) < 0;
    Py_XDECREF(object);
    return !failed;
}

static int collect_child(CXCursor child, CXCursor parent, void *list)
{
    (void)parent;
    return append(list, box_cursor(child)) ? NEXT : STOP;
}

static int collect_field(CXCursor field, void *list)
{
    return append(list, box_cursor(field)) ? NEXT : STOP;
}

/* The list that a visit filled, or NULL if an exception stopped the visit. */
static PyObject *filled(PyObject *list)
{
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}

static PyObject *py_list_children(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    PyObject *list;
    if (!to_cursor(argument, &cursor) || !(list = PyList_New(0)))
        return NULL;
    clang.clang_visitChildren(cursor, collect_child, list);
    return filled(list);
}

static PyObject *py_list_fields(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXType type;
    PyObject *list;
    if (!to_type(argument, &type) || !(list = PyList_New(0)))
        return NULL;
    clang.clang_Type_visitFields(type, collect_field, list);
    return filled(list);
}

static PyObject *py_list_parameters(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    PyObject *list;
    int count;
    if (!to_cursor(argument, &cursor) || !(list = PyList_New(0)))
        return NULL;
    count = clang.clang_Cursor_getNumArguments(cursor);
    for (int position = 0; position < count; position++)
        if (!append(list, box_cursor(clang.clang_Cursor_getArgument(cursor, (unsigned)position))))
            break;
    return filled(list);
}

/* ---- functions of tree.py --------------------------------------------------------------------- */

/* The numbers of kinds.py. */
enum {
    FIRST_REFERENCE = 40, LAST_REFERENCE = 50, MEMBER_REF = 47,
    FIRST_EXPRESSION = 100, LAST_EXPRESSION = 159,
    UNEXPOSED_EXPR = 100, DECL_REF = 101, INTEGER_LITERAL = 106, PAREN = 111, SIZEOF = 136,
    FIRST_ATTRIBUTE = 400
};

typedef struct {
    size_t key;
    Node *node;
} Open;

/* The open nodes, from the root down. */
typedef struct {
    Open *nodes;
    size_t depth, room;
} Stack;

static int open_node(Stack *stack, Node *node)
{
    if (stack->depth == stack->room) {
        size_t room = stack->room ? 2 * stack->room : 256;
        Open *nodes = realloc(stack->nodes, room * sizeof *nodes);
        if (!nodes) {
            PyErr_NoMemory();
            return 0;
        }
        stack->nodes = nodes;
        stack->room = room;
    }
    stack->nodes[stack->depth].key = key_of(&node->cursor.value);
    stack->nodes[stack->depth].node = node;
    stack->depth++;
    return 1;
}

static Node *make_node(CXCursor cursor)
{
    Node *node = PyObject_New(Node, node_type);
    if (node) {
        node->cursor.value = cursor;
        node->children = NULL;
    }
    return node;
}

/* See read_tree in tree.py for what is left out. */
static int visit_node(CXCursor cursor, CXCursor parent, void *data)
{
    Stack *stack = data;
    size_t above = key_of(&parent);
    int kind = cursor.kind;
    Node *node, *outer;
    if (kind >= FIRST_ATTRIBUTE ||
        (kind >= FIRST_REFERENCE && kind <= LAST_REFERENCE && kind != MEMBER_REF))
        return NEXT;
    while (stack->depth > 1 && stack->nodes[stack->depth - 1].key != above)
        stack->depth--;
    outer = stack->nodes[stack->depth - 1].node;
    if (!outer->children && !(outer->children = PyList_New(0)))
        return STOP;
    node = make_node(cursor);
    if (!append(outer->children, (PyObject *)node))
        return STOP;
    if (kind == SIZEOF || kind == MEMBER_REF || kind == DECL_REF || kind == INTEGER_LITERAL)
        return NEXT;
    return open_node(stack, node) ? RECURSE : STOP; /* its parent's list holds it */
}

static PyObject *py_read_tree(PyObject *Py_UNUSED(module), PyObject *argument)
{
    CXCursor cursor;
    Stack stack = {NULL, 0, 0};
    Node *root;
    if (!to_cursor(argument, &cursor) || !(root = make_node(cursor)))
        return NULL;
    if (open_node(&stack, root))
        clang.clang_visitChildren(cursor, visit_node, &stack);
    free(stack.nodes);
    return filled((PyObject *)root);
}

static int is_node(PyObject *object)
{
    if (PyObject_TypeCheck(object, node_type))
        return 1;
    PyErr_SetString(PyExc_TypeError, "expected a Node");
    return 0;
}

static PyObject *py_unwrap(PyObject *Py_UNUSED(module), PyObject *argument)
{
    if (!is_node(argument))
        return NULL;
    for (;;) {
        Node *node = (Node *)argument;
        int kind = node->cursor.value.kind;
        if ((kind != PAREN && kind != UNEXPOSED_EXPR) || !node->children ||
            PyList_Size(node->children) != 1)
            break;
        argument = PyList_GetItem(node->children, 0);
    }
    Py_INCREF(argument);
    return argument;
}

static PyObject *py_get_operands(PyObject *Py_UNUSED(module), PyObject *argument)
{
    PyObject *children, *list;
    Py_ssize_t count;
    if (!is_node(argument) || !(list = PyList_New(0)))
        return NULL;
    children = ((Node *)argument)->children;
    count = children ? PyList_Size(children) : 0;
    for (Py_ssize_t position = 0; position < count; position++) {
        PyObject *child = PyList_GetItem(children, position);
        int kind = ((Node *)child)->cursor.value.kind;
        if (kind >= FIRST_EXPRESSION && kind <= LAST_EXPRESSION && PyList_Append(list, child) < 0)
            break;
    }
    return filled(list);
}

/* ---- the module ------------------------------------------------------------------------------- */

static int find(void *library, const char *name, void *pointer)
{
    void *found = dlsym(library, name);
    if (!found)
        PyErr_Format(PyExc_AttributeError, "libclang has no %s", name);
    memcpy(pointer, &found, sizeof found); /* ISO C has no conversion to a function's address */
    return found != NULL;
}

static PyObject *py_load(PyObject *Py_UNUSED(module), PyObject *path)
{
    PyObject *name;
    void *library;
    if (!PyUnicode_FSConverter(path, &name))
        return NULL;
    library = dlopen(PyBytes_AsString(name), RTLD_NOW | RTLD_LOCAL);
    Py_DECREF(name);
    if (!library) {
        PyErr_SetString(PyExc_OSError, dlerror());
        return NULL;
    }
#define FIND(name) if (!find(library, #name, &clang.name)) return NULL;
#define FIND_IT(result, name, arguments) FIND(name)
    CURSOR_TO_CURSOR(FIND)
    CURSOR_TO_INT(FIND)
    TYPE_TO_TYPE(FIND)
    ONE_OF_A_KIND(FIND_IT)
    INNER(FIND_IT)
    Py_RETURN_NONE;
}

#define METHOD(name) {#name, py_##name, METH_O, NULL},
#define METHOD_IT(result, name, arguments) METHOD(name)
static PyMethodDef methods[] = {
    CURSOR_TO_CURSOR(METHOD)
    CURSOR_TO_INT(METHOD)
    TYPE_TO_TYPE(METHOD)
    ONE_OF_A_KIND(METHOD_IT)
    METHOD(get_key) METHOD(get_spelling) METHOD(get_type_spelling) METHOD(print_declaration)
    METHOD(evaluate_integer)
    METHOD(decode_location) METHOD(get_start) METHOD(get_end)
    METHOD(list_children) METHOD(list_fields) METHOD(list_parameters)
    METHOD(read_tree) METHOD(unwrap) METHOD(get_operands)
    METHOD(load)
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_compiled", NULL, -1, methods, NULL, NULL, NULL, NULL};

static int make_type(PyTypeObject **made, PyType_Spec *spec, PyTypeObject *base)
{
    *made = (PyTypeObject *)PyType_FromSpecWithBases(spec, (PyObject *)base);
    return *made != NULL;
}

PyMODINIT_FUNC PyInit__compiled(void)
{
    if (!make_type(&cursor_type, &cursor_spec, NULL) ||
        !make_type(&node_type, &node_spec, cursor_type) ||
        !make_type(&type_type, &type_spec, NULL) ||
        !make_type(&location_type, &location_spec, NULL) ||
        !make_type(&range_type, &range_spec, NULL))
        return NULL;
    return PyModule_Create(&definition);
}
