-- The index of one tree and one configuration. schema.py holds its version: a change here, or of
-- what a column means, or of encoding.py, takes a new number there and a line in its history.

-- What was indexed (description), the totals that `status` shows (coverage): JSON texts. What the
-- facts and the graph mean (digests of the code that made them); the files that the tree had, one
-- a line.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Files that facts cite. lines: how many it has; digest: of its bytes, so that a citation can
-- tell that the file has changed; generated: path is relative to the build folder.
CREATE TABLE file (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, lines INTEGER NOT NULL, digest BLOB NOT NULL,
    generated INTEGER NOT NULL
);

-- The facts, one row a definition (encoding.py says how).
CREATE TABLE definition (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, facts BLOB NOT NULL);

-- Translation units. errors: [[citation or "", message], ...]; definitions and files: the ids of
-- all definitions it holds and of the paths it read in unit_file (packed: see encoding.pack_numbers);
-- command: digest of how it is compiled, empty where it depends on files that are in neither folder.
CREATE TABLE unit (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, object TEXT NOT NULL, image TEXT NOT NULL,
    failed TEXT NOT NULL, errors TEXT NOT NULL, definitions BLOB NOT NULL, files BLOB NOT NULL,
    command BLOB NOT NULL
);

-- The paths that units read, cited or not; the numbers that unit.files packs. stat: size and time,
-- digest: of the bytes, of the files of that path in the tree and the build folder (states.py).
CREATE TABLE unit_file (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, stat TEXT NOT NULL, digest BLOB NOT NULL
);

-- From here on: what resolving made of the facts. Ids are dense from 0 in the order of their
-- identities, so that arrays can be indexed by them. SQLite does not enforce the references: that
-- would cost time, and the checksum of the file finds damage.

-- Strings that repeat: expressions, macros, holders, reasons, rules, signatures, guards.
CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

-- Functions: file is NULL where the index holds no definition of it.
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

-- Call sites in the order of caller, location, ordinal. holder: what an indirect call goes
-- through; callback: the caller's parameter that it goes through, from 0, else NULL; guards:
-- [[line, column, end line, end column, holds], ...]; proof: the evidence that it is empty, if so.
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

-- Requests to run something later for which no callee was found: why, and what is asked for; untold:
-- that cannot be told, so that it may be anything of the kind.
CREATE TABLE request (
    id INTEGER PRIMARY KEY, site INTEGER NOT NULL REFERENCES site,
    kind INTEGER NOT NULL REFERENCES text, reason INTEGER NOT NULL REFERENCES text,
    asked INTEGER NOT NULL REFERENCES text, untold INTEGER NOT NULL
);

-- What is registered to be run later; untold: under what, could not be told.
CREATE TABLE later (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL REFERENCES text,
    function INTEGER NOT NULL REFERENCES function, untold INTEGER NOT NULL
);

-- What was put where: a function, or an object's address (an install), bound to a holder.
CREATE TABLE bound (
    id INTEGER PRIMARY KEY, holder INTEGER NOT NULL REFERENCES text,
    record TEXT NOT NULL, field TEXT NOT NULL, function INTEGER REFERENCES function,
    object INTEGER REFERENCES object, "table" INTEGER REFERENCES object,
    file INTEGER NOT NULL REFERENCES file, line INTEGER NOT NULL, "column" INTEGER NOT NULL,
    how TEXT NOT NULL
);
CREATE INDEX bound_record ON bound(record, field);
CREATE INDEX bound_function ON bound(function) WHERE function IS NOT NULL;
CREATE INDEX bound_object ON bound(object) WHERE object IS NOT NULL;
CREATE INDEX bound_table ON bound("table") WHERE "table" IS NOT NULL;
CREATE INDEX bound_holder ON bound(holder);

-- Which tables a pointer field may hold by way of copies, with the evidence; whole: all that the
-- field may hold is known.
CREATE TABLE held (
    id INTEGER PRIMARY KEY, holder INTEGER NOT NULL REFERENCES text,
    record TEXT NOT NULL, field TEXT NOT NULL, object INTEGER NOT NULL REFERENCES object,
    evidence INTEGER NOT NULL REFERENCES evidence, whole INTEGER NOT NULL
);
CREATE INDEX held_record ON held(record, field);
CREATE INDEX held_object ON held(object);

-- The texts that are holders, by name.
CREATE TABLE holder (name TEXT PRIMARY KEY, text INTEGER NOT NULL REFERENCES text) WITHOUT ROWID;

-- Macros of the cited headers that stand for a member (`#define own_ops part.ops`): the last part of
-- its path, and the slots with something bound to them that end with it; in the order of files.
CREATE TABLE alias (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, member TEXT NOT NULL, slot TEXT NOT NULL,
    UNIQUE (name, member, slot)
);

-- Edges and adjacency, as arrays of numbers (arrays.py lists them). crc: of the bytes.
CREATE TABLE array (name TEXT PRIMARY KEY, type TEXT NOT NULL, crc INTEGER NOT NULL,
    data BLOB NOT NULL);
