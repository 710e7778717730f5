/** Chakra execution traces: reading them from files. */
#ifndef SCEN_ET_H
#define SCEN_ET_H

#include "strat_et.h"

/** Numbers that attributes of a node may give. */
typedef enum ScenEtNumber {
    SCEN_ET_NUM_OPS,
    SCEN_ET_TENSOR_SIZE,
    SCEN_ET_COMM_TYPE,
    SCEN_ET_COMM_SIZE,
    SCEN_ET_COMM_SRC,
    SCEN_ET_COMM_DST,
    SCEN_ET_COMM_TAG,
    SCEN_ET_IS_CPU_OP,
    SCEN_ET_NUMBERS
} ScenEtNumber;

/** A node as it is written, in either form of file. Strings are borrowed. */
typedef struct ScenEtRaw {
    uint64_t id;
    uint64_t type; /* NodeType */
    uint64_t duration_us;
    const char *name;
    const char *group; /* NULL: none */
    uint64_t number[SCEN_ET_NUMBERS];
    bool is_given[SCEN_ET_NUMBERS];
    uint32_t dimensions; /* bit by bit; 0: all, or none given */
    guint dep_count;     /* at the end of the rank's dep_ids */
} ScenEtRaw;

/** The attribute called @name, SCEN_ET_NUMBERS when it is none of them. */
ScenEtNumber scen_et_number(const char *name);

/** Takes @raw as the next node of rank @rank, the last that was added. False and @error (file, node)
 *  when its type is unknown or it lacks what its type needs. */
bool scen_et_add_node(StratEt *et, uint32_t rank, const ScenEtRaw *raw, GError **error);

/** Reads the bytes of a file, called @name, as the next rank: messages of protobuf, JSON, or either
 *  compressed with gzip. False and @error with file, byte and node. */
bool scen_et_read_rank(StratEt *et, const char *name, const char *bytes, gsize length,
                       GError **error);

/** The JSON form, of scen_et_read_rank(). (scen_et_json.c) */
bool scen_et_read_json(StratEt *et, uint32_t rank, const char *bytes, gsize length, GError **error);

/** Reads process groups out of @text, a JSON list of {pg_name, ranks} with whatever around it, into
 *  @groups. Texts without such a list are let pass. False and @error when it is damaged. */
bool scen_et_read_groups(const char *text, GHashTable *groups, GError **error);

/** Reads a file of groups as ASTRA-sim has it, {"1": [0, 1, 2, 3]}, into a table, which the caller
 *  unrefs. NULL and @error. */
GHashTable *scen_et_read_group_file(const char *path, GError **error);

/** Reads the traces of @paths (NULL-terminated), one a rank. Free with strat_et_free(). */
StratEt *scen_et_read(const char *const *paths, GError **error);

#endif
