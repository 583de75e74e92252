-- The index of one tree in one configuration. schema.py has its version: a change here, in the
-- meaning of a column, or in codec.py takes a new version and a line in its history.

-- What was indexed ("description") and the totals that `status` shows ("coverage"), as JSON; the
-- fingerprint of the run: the versions of facts and graph (digests of the code that made them),
-- the files of the tree (one a line), the configuration symbols.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Files that facts cite. lines: how many; digest: of the bytes, which tells whether the file has
-- changed; generated: the path is relative to the build folder.
CREATE TABLE file (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, lines INTEGER NOT NULL, digest BLOB NOT NULL,
    generated INTEGER NOT NULL
);

-- The facts, one row a definition, as codec.py encodes them; key: their digest.
CREATE TABLE definition (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, facts BLOB NOT NULL);

-- Translation units. failed: why it could not be parsed, else ""; errors: [[citation or "", message],
-- ...]; definitions: ids of all its definitions; files: ids of all files that it read (unit_file),
-- both packed by codec.pack_numbers; command: digest of the compile command, empty for a unit that
-- depends on files outside of tree and build folder.
CREATE TABLE unit (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, object TEXT NOT NULL, image TEXT NOT NULL,
    failed TEXT NOT NULL, errors TEXT NOT NULL, definitions BLOB NOT NULL, files BLOB NOT NULL,
    command BLOB NOT NULL
);

-- Files that units read, cited or not. stat: size and time, digest: of the bytes, both of the files
-- of that path in the tree and in the build folder (previous_index.FileState).
CREATE TABLE unit_file (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, stat TEXT NOT NULL, digest BLOB NOT NULL
);

-- From here on: the graph, which resolving makes of the facts. Ids of functions, objects and call
-- sites count from 0 in the order below; arrays are indexed by them. SQLite does not enforce the
-- references: that would cost time, and the checksum of the file finds damage.

-- Strings that repeat: expressions, macros, holders, reasons, rules, signatures, guards.
CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

-- Functions, in the order of name, scope and image. file: NULL if the index has no definition.
CREATE TABLE function (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, image TEXT NOT NULL,
    file INTEGER REFERENCES file, line INTEGER, "column" INTEGER,
    end_line INTEGER, end_column INTEGER,
    signature INTEGER REFERENCES text, parameters TEXT, weak INTEGER, inline INTEGER,
    alias_of TEXT, macro INTEGER REFERENCES text,
    address_taken INTEGER NOT NULL  -- its name stands somewhere as a value
);
CREATE INDEX function_name ON function(name);
CREATE INDEX function_file ON function(file, line);

CREATE TABLE object (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, image TEXT NOT NULL,
    file INTEGER REFERENCES file, line INTEGER, "column" INTEGER,
    end_line INTEGER, end_column INTEGER,
    type TEXT, section TEXT, alias_of TEXT
);
CREATE INDEX object_name ON object(name);

-- Call sites, in the order of caller, location and ordinal. holder: what an indirect call goes
-- through; callback: the index of the caller's parameter, if it goes through one; guards: [[line,
-- column, end line, end column, holds, early exit, expected (-1: nothing is), tests: [[parameter,
-- mask, value, is equal], ...]], ...], without what stands at the end and is empty; proof: the evidence that an empty call site is empty.
CREATE TABLE site (
    id INTEGER PRIMARY KEY, caller INTEGER NOT NULL REFERENCES function,
    file INTEGER NOT NULL REFERENCES file, line INTEGER NOT NULL, "column" INTEGER NOT NULL,
    end_line INTEGER NOT NULL, end_column INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    expression INTEGER NOT NULL REFERENCES text, macro INTEGER NOT NULL REFERENCES text,
    status TEXT NOT NULL, holder INTEGER REFERENCES text, rule INTEGER NOT NULL REFERENCES text,
    reason INTEGER NOT NULL REFERENCES text, signature INTEGER NOT NULL REFERENCES text,
    guards INTEGER NOT NULL REFERENCES text, callback INTEGER, proof INTEGER REFERENCES evidence
);
CREATE INDEX site_line ON site(file, line);
CREATE INDEX site_holder ON site(holder) WHERE holder IS NOT NULL;

-- Chains of evidence, each once: [[role, file, line, column, holder], ...].
CREATE TABLE evidence (id INTEGER PRIMARY KEY, chain TEXT NOT NULL);

-- Requests to run something later for which no callee was found. requested: the key; key_unknown:
-- it may be any key of the kind.
CREATE TABLE request (
    id INTEGER PRIMARY KEY, site INTEGER NOT NULL REFERENCES site,
    kind INTEGER NOT NULL REFERENCES text, reason INTEGER NOT NULL REFERENCES text,
    requested INTEGER NOT NULL REFERENCES text, key_unknown INTEGER NOT NULL
);

-- Functions that are registered to be run later. key_unknown: under an unknown key.
CREATE TABLE deferred_callback (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL REFERENCES text,
    function INTEGER NOT NULL REFERENCES function, key_unknown INTEGER NOT NULL
);

-- Bindings: a function, or the address of an object (an install), put into a holder. table: the
-- object whose initialiser does it, NULL for an assignment.
CREATE TABLE binding (
    id INTEGER PRIMARY KEY, holder INTEGER NOT NULL REFERENCES text,
    record TEXT NOT NULL, field TEXT NOT NULL, function INTEGER REFERENCES function,
    object INTEGER REFERENCES object, "table" INTEGER REFERENCES object,
    file INTEGER NOT NULL REFERENCES file, line INTEGER NOT NULL, "column" INTEGER NOT NULL,
    how TEXT NOT NULL
);
CREATE INDEX binding_record ON binding(record, field);
CREATE INDEX binding_function ON binding(function) WHERE function IS NOT NULL;
CREATE INDEX binding_object ON binding(object) WHERE object IS NOT NULL;
CREATE INDEX binding_table ON binding("table") WHERE "table" IS NOT NULL;
CREATE INDEX binding_holder ON binding(holder);

-- Tables that copies bring into a pointer field. whole: everything that the field may hold is known.
CREATE TABLE copied_table (
    id INTEGER PRIMARY KEY, holder INTEGER NOT NULL REFERENCES text,
    record TEXT NOT NULL, field TEXT NOT NULL, object INTEGER NOT NULL REFERENCES object,
    evidence INTEGER NOT NULL REFERENCES evidence, whole INTEGER NOT NULL
);
CREATE INDEX copied_table_record ON copied_table(record, field);
CREATE INDEX copied_table_object ON copied_table(object);

-- Holders by name: the ids of their texts.
CREATE TABLE holder (name TEXT PRIMARY KEY, text INTEGER NOT NULL REFERENCES text) WITHOUT ROWID;

-- Macros of cited headers that stand for a member (`#define own_ops part.ops`). member: the last
-- part of its path; slot: a slot with bindings that ends with it. In the order of files.
CREATE TABLE alias (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, member TEXT NOT NULL, slot TEXT NOT NULL,
    UNIQUE (name, member, slot)
);

-- Macros of the files that units read, with parameters, or for a name or a call: where each
-- definition is. text: it on one line, without `#define`, cut off if it is long.
CREATE TABLE macro (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, file INTEGER NOT NULL REFERENCES unit_file,
    line INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX macro_name ON macro(name);

-- Macros whose definition mentions another one.
CREATE TABLE macro_use (
    mentioned TEXT NOT NULL, macro TEXT NOT NULL, PRIMARY KEY (mentioned, macro)
) WITHOUT ROWID;

-- Edges and adjacency as arrays of numbers; arrays.py says what each one is. crc: of the bytes.
CREATE TABLE array (name TEXT PRIMARY KEY, type TEXT NOT NULL, crc INTEGER NOT NULL,
    data BLOB NOT NULL);
