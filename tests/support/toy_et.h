/** Execution traces for tests and benchmarks: written as Chakra's tools write them, and replayed. */
#ifndef TOY_ET_H
#define TOY_ET_H

#include "scen_et.h"
#include "scen_scenario.h"

enum { TOY_ET_DEPS = 4 };

/** Types of nodes by their number in the schema. */
enum {
    TOY_ET_METADATA = 1,
    TOY_ET_LOAD,
    TOY_ET_STORE,
    TOY_ET_COMP,
    TOY_ET_SEND,
    TOY_ET_RECV,
    TOY_ET_COLL,
};

/** A node. Dependencies are ids + 1, 0 ends a list. */
typedef struct ToyEtNode {
    uint64_t id;
    uint32_t type;
    const char *name; /* NULL: "n" */
    uint64_t us;
    uint64_t ops, bytes; /* num_ops, tensor_size; 0: left out */
    uint32_t collective; /* comm_type of TOY_ET_COLL */
    uint64_t size;       /* comm_size */
    const char *group;   /* pg_name; NULL: left out */
    const char *spans;   /* involved_dim as "10"; NULL: left out */
    uint32_t peer, tag;
    bool on_host;
    const char *values; /* inputs.values of metadata; NULL: none */
    uint64_t data[TOY_ET_DEPS], ctrl[TOY_ET_DEPS];
} ToyEtNode;

/** The file of @count nodes; the caller unrefs it. */
GByteArray *toy_et_file(const ToyEtNode *nodes, size_t count);

/** Appends a node to a file that was begun. */
void toy_et_append(GByteArray *file, const ToyEtNode *node);

/** A scenario of @gpus GPUs of dgx-h100 with @more (lines of YAML, may be "") and an execution trace
 *  with the keys @keys ("compute: roofline", may be ""). The program aborts when it is
 *  wrong. */
ScenScenario *toy_et_scenario(int gpus, const char *keys, const char *more);

/** Reads @files (one a rank) and replays them as @scenario says. NULL and @error. */
StratEtResult *toy_et_replay(const ScenScenario *scenario, GByteArray *const *files, size_t ranks,
                             GError **error);

/** A transformer of @layers on @ranks ranks that agree in tensor groups of @tensor and sum gradients
 *  in groups of the others: forward, backward, an all-reduce a layer in either beside the next layer's
 *  backward, and an update. The file of @rank. */
GByteArray *toy_et_transformer(uint32_t rank, uint32_t ranks, uint32_t tensor, uint32_t layers);

#endif
