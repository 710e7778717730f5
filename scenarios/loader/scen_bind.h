/** Tables that say what a document may hold, and the binder that fills structs by them.
 *
 *  A table is a const array of ScenField rows plus a name. It is the truth about a document: the
 *  binder, the messages, the help and the schema all read it. To add a document, write its table,
 *  then scen_bind_file() (see the end). */
#ifndef SCEN_BIND_H
#define SCEN_BIND_H

#include "scen_catalog.h"
#include "scen_marks.h"
#include "scen_quantity.h"

#include <stddef.h>

typedef struct ScenField ScenField;
typedef struct ScenForm ScenForm;
typedef struct ScenTable ScenTable;
typedef struct ScenBinder ScenBinder;

/** Kinds of values, with the C type that a field of the kind fills. */
typedef enum ScenKind {
    SCEN_INT,      /* int64_t (or uint64_t, with min >= 0), from min to max */
    SCEN_NUMBER,   /* double without a unit, from min to max */
    SCEN_BOOL,     /* bool: true or false */
    SCEN_TEXT,     /* const char *, one of .names when there are any */
    SCEN_ENUM,     /* an enum, one of .names */
    SCEN_QUANTITY, /* double in SI, of .dimension; above 0 unless .zero */
    SCEN_MAP,      /* a struct within, by .table */
    SCEN_SECTION,  /* the same, which may also be a catalog name, or refine one with `base:` */
    SCEN_ROWS,     /* GArray * of structs, from a list of maps by .table; the caller frees it */
    SCEN_NUMBERS,  /* GArray * of double, each from min to max; the caller frees it */
    SCEN_CUSTOM,   /* whatever .bind makes of it */
} ScenKind;

/** One name of an enum. Lists end with a NULL text. */
typedef struct ScenName {
    const char *text;
    int value;
} ScenName;

/** Fills @slot from @node; false refuses it. A custom function adds no error: the binder says that
 *  the value is not the field's `.expected`. That of a section may take the node over by returning
 *  true; false leaves it to the section. */
typedef bool (*ScenBindFunc)(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                             void *slot);

/** One key of a map. */
struct ScenField {
    const char *key;
    ScenKind kind;
    size_t offset; /* of the slot in the table's struct */
    bool required;
    bool zero;               /* a quantity may be 0, a section may be left out */
    double min, max;         /* inclusive */
    ScenDimension dimension; /* of a quantity */
    const ScenName *names;
    const ScenTable *table;
    bool
        implied_base; /* a section's map without a base: is laid over a row that the loader picks */
    ScenBindFunc bind;
    const char *expected;  /* what .bind wants, in words: "all, qkv or none" */
    const ScenForm *forms; /* the same for programs, unless .names says it all */
    const char *fallback;  /* the text that stands for an absent key; NULL leaves the slot alone */
    const char *help;      /* one line, with the unit in which the value is kept */
};

/** One form that a custom value may take, for who reads the tables: the schema and the completion.
 *  Lists of them end with a row without .value.help. */
struct ScenForm {
    ScenField value; /* without a key; a map without a table holds settings, as --set takes them */
    int64_t least, most; /* entries of a list of such values; most 0: the value alone */
};

/** A row for the key @name, kept in @member of the struct @type; the rest are designated
 *  initialisers, `.help` always among them. */
#define SCEN_FIELD(name, type, member, of_kind, ...)                                               \
    {                                                                                              \
        .key = (name), .kind = (of_kind), .offset = offsetof(type, member), __VA_ARGS__            \
    }

/** A row for a map whose table @of fills the same struct as the map around it. */
#define SCEN_GROUP(name, of, ...)                                                                  \
    {                                                                                              \
        .key = (name), .kind = SCEN_MAP, .table = (of), __VA_ARGS__                                \
    }

/** One map. */
struct ScenTable {
    const char *what; /* "plan", for messages */
    const ScenField *fields;
    size_t count;
    size_t size;             /* of the struct, for SCEN_ROWS */
    ScenCatalogKind catalog; /* of a section */
    /* Fills in what depends on several keys, may be NULL; @map is the map that was bound. */
    void (*finish)(ScenBinder *binder, const ScenNode *map, void *out);
};

/** What binding needs and makes. Everything is borrowed. */
struct ScenBinder {
    ScenErrors *errors;
    GStringChunk *strings;  /* takes the texts of the structs */
    ScenCatalogs *catalogs; /* NULL: sections can only be written out */
    ScenMarks *marks;       /* takes places, may be NULL */
    const char *folder;     /* relative paths start here */
    GString *path;          /* dotted, of the map at hand */
};

/** Fills @out (zeroed by the caller) from @node by @table. False when errors were added. */
bool scen_bind(ScenBinder *binder, const ScenTable *table, const ScenNode *node, void *out);

/** Fills @slot, of the C type of @field's kind, from @node. False when errors were added. */
bool scen_bind_value(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot);

/** Adds "unknown key ..." with the nearest name and those that @table has, at @mark. */
void scen_bind_unknown(ScenErrors *errors, const ScenTable *table, const char *key, ScenMark mark);

/** The field @key of @table, NULL when it has none. */
const ScenField *scen_table_field(const ScenTable *table, const char *key);

/** Lets a relative path @path (NULL: none) start at the folder of the document. */
void scen_bind_path(ScenBinder *binder, const char **path);

/** Adds an error about @key of @map, at the key when it is there, and marks it as refused. */
void scen_bind_fail(ScenBinder *binder, const ScenNode *map, const char *key, const char *format,
                    ...) G_GNUC_PRINTF(4, 5);

/** What @field accepts, in words: "a whole number from 1 to 8". The caller owns it. */
char *scen_field_expected(const ScenField *field);

/** The value of @field in @slot, in the words that the field takes; NULL for maps and lists of
 * maps, for texts that are not there, and for custom values without words. The caller owns it. */
char *scen_field_text(const ScenField *field, const void *slot);

/** Reads the YAML file @path and fills @out (zeroed by the caller) by @table; texts go to @strings.
 *  False and @error with every fault, a line each. */
bool scen_bind_file(const char *path, const ScenTable *table, GStringChunk *strings, void *out,
                    GError **error);

#endif
