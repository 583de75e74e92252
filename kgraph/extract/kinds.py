"""The numbers of clang-c/Index.h that extraction looks at (LLVM 16 to 18)."""

# declarations
UNEXPOSED_DECL = 1  # assembler at file scope, among others
STRUCT, UNION, ENUM = 2, 3, 4
FIELD, ENUM_CONSTANT, FUNCTION, VAR, PARM = 6, 7, 8, 9, 10

# references
REFERENCES = range(40, 51)
MEMBER_REF = 47

# expressions
UNEXPOSED_EXPR = 100
DECL_REF, MEMBER_REF_EXPR, CALL = 101, 102, 103
INTEGER_LITERAL = 106
PAREN, UNARY, SUBSCRIPT, BINARY, COMPOUND_ASSIGN, CONDITIONAL = 111, 112, 113, 114, 115, 116
C_CAST, COMPOUND_LITERAL, INIT_LIST = 117, 118, 119
STATEMENT_EXPR, GENERIC_SELECTION = 121, 122
SIZEOF = 136  # sizeof and _Alignof: CXCursor_CXXUnaryExpr... of UnaryExprOrTypeTraitExpr
EXPRESSIONS = range(100, 160)

# statements
LABEL, COMPOUND, CASE, DEFAULT, IF, SWITCH, WHILE, DO, FOR = range(201, 210)
GOTO, INDIRECT_GOTO, CONTINUE, BREAK, RETURN = range(210, 215)
ASM, DECL_STMT = 215, 231
JUMPS = frozenset((GOTO, INDIRECT_GOTO, CONTINUE, BREAK, RETURN))

# binary and unary operators
ADD, SUB, SHL, AND, OR = 6, 7, 8, 17, 19
LOGICAL_AND, LOGICAL_OR, ASSIGN, COMMA = 20, 21, 22, 33
ADDRESS_OF, DEREFERENCE, MINUS, NOT, EXTENSION = 5, 6, 8, 9, 13

# types
T_VOID, T_POINTER, T_RECORD, T_ENUM = 2, 101, 105, 106
T_FUNCTION = frozenset((110, 111))
T_ARRAY = frozenset((112, 114, 115, 116))
T_VARIABLE_ARRAY = 115
T_WORD = frozenset((10, 11, 18, 19))  # unsigned and signed long and long long
T_INTEGER = frozenset(range(3, 21))

# linkage and storage
INTERNAL_LINKAGE = 2
STORAGE_EXTERN, STORAGE_STATIC = 2, 3
