/** Dotted keys of a scenario, as --set takes them: which there are and what they take. */
#ifndef SCEN_KEYS_H
#define SCEN_KEYS_H

#include "scen_bind.h"

/** A key of a scenario. */
typedef struct ScenKey {
    const ScenField *field;  /* NULL: `base` of a section */
    const ScenTable *within; /* the map that it is a key of */
} ScenKey;

/** Finds the key @path ("plan.tensor") in the tables. False when there is none. */
bool scen_key_find(const char *path, ScenKey *setting);

/** The map behind @field, through its forms, too; NULL when it takes none. */
const ScenTable *scen_key_table(const ScenField *field);

/** What may stand for @field where names are known: of an enum, a truth value, rows of catalogs
 *  (char *). Empty when there are none. The caller owns them. */
GPtrArray *scen_key_values(const ScenField *field);

/** All keys whose path starts with that of the map around @path, dotted ("plan.tensor"); those that
 *  are maps end in a dot, the others in "=", and sections stand twice. The caller owns them. */
GPtrArray *scen_key_siblings(const char *path);

#endif
