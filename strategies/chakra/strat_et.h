/** Execution traces: for each rank a graph of nodes, as it was read from a file. */
#ifndef STRAT_ET_H
#define STRAT_ET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** No group was named: all ranks. Also: no index. */
#define STRAT_ET_NONE UINT32_MAX

/** What a node does. */
typedef enum StratEtKind {
    STRAT_ET_NOTHING, /* metadata, or no type: takes no time, its dependencies count */
    STRAT_ET_COMPUTE,
    STRAT_ET_MEMORY,  /* a tensor from or to memory beyond the GPU's own */
    STRAT_ET_STORAGE, /* storage, batches, checkpoints: as long as was recorded */
    STRAT_ET_SEND,
    STRAT_ET_RECV,
    STRAT_ET_COLLECTIVE,
} StratEtKind;

/** Collectives by their number in the trace format. */
typedef enum StratEtCollective {
    STRAT_ET_ALL_REDUCE,
    STRAT_ET_REDUCE,
    STRAT_ET_ALL_GATHER,
    STRAT_ET_GATHER,
    STRAT_ET_SCATTER,
    STRAT_ET_BROADCAST,
    STRAT_ET_ALL_TO_ALL,
    STRAT_ET_REDUCE_SCATTER,
    STRAT_ET_REDUCE_SCATTER_BLOCK,
    STRAT_ET_BARRIER,
    STRAT_ET_COLLECTIVES
} StratEtCollective;

/** "all-reduce" and so on. */
const char *strat_et_collective_name(StratEtCollective collective);

/** One node. */
typedef struct StratEtNode {
    uint64_t id;
    uint64_t duration_us; /* recorded; 0: not */
    union {
        struct {
            double flop;    /* COMPUTE */
            uint64_t bytes; /* COMPUTE: touched in the GPU's memory; MEMORY: moved */
        } work;
        struct {
            uint64_t bytes;
            uint32_t group;      /* COLLECTIVE: number of a name until groups are found, then of a
                                    StratEtGroup */
            uint32_t peer;       /* SEND, RECV: rank */
            uint32_t tag;        /* likewise */
            uint32_t dimensions; /* COLLECTIVE: bit by bit, which it spans; 0: it names a group */
        } comm;
    };
    uint32_t first_dep, dep_count; /* in the rank's deps */
    uint32_t name;                 /* in the trace's names */
    uint8_t kind;                  /* StratEtKind */
    uint8_t collective;            /* StratEtCollective */
    bool on_host;                  /* COMPUTE: by the CPU */
} StratEtNode;

/** One rank: its nodes in the order of the file. */
typedef struct StratEtRank {
    char *path;
    GArray *nodes;      /* of StratEtNode */
    GArray *dep_ids;    /* of uint64_t: what nodes wait for, by id, node by node */
    uint32_t *deps;     /* the same by index, once strat_et_order() has found them */
    uint32_t *order;    /* nodes so that each comes after what it waits for */
    uint32_t *follower; /* nodes that wait for node i: from first_follower[i] to before
                           first_follower[i + 1] */
    uint32_t *first_follower;
    GHashTable *groups; /* process groups that the file tells: name to GArray of int64_t; an empty
                           array is all ranks */
} StratEtRank;

/** Ranks that run collectives together. */
typedef struct StratEtGroup {
    char *name;
    uint32_t *ranks; /* ascending */
    uint32_t count;
} StratEtGroup;

/** A trace of all ranks. */
typedef struct StratEt {
    GPtrArray *ranks;  /* of StratEtRank */
    GPtrArray *names;  /* of char *: of nodes and of groups, each once */
    GHashTable *named; /* name to number + 1 */
    GHashTable *given; /* groups that a file of groups tells, as StratEtRank.groups; may be NULL */
    GArray *groups;    /* of StratEtGroup, once strat_et_find_groups() has found them */
    uint64_t nodes;    /* of all ranks */
} StratEt;

/** An empty trace. Free with strat_et_free(). */
StratEt *strat_et_new(void);
void strat_et_free(StratEt *et);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratEt, strat_et_free)

/** The next rank, from the file @path; borrowed. */
StratEtRank *strat_et_add_rank(StratEt *et, const char *path);

/** A table of groups by name, as StratEtRank.groups. */
GHashTable *strat_et_group_table_new(void);

/** The number of @name among the names, made on first use. */
uint32_t strat_et_name(StratEt *et, const char *name);

/** Number @index of @rank's nodes, borrowed. */
StratEtNode *strat_et_node(const StratEtRank *rank, uint32_t index);

/** "rank 3 node 17 'all-reduce of gradients'" with the text of the node's name made printable; the
 *  caller owns it. */
char *strat_et_describe(const StratEt *et, uint32_t rank, uint32_t index);

/** Sets @error to "FILE: node ID 'NAME': " and the text; always false. */
bool strat_et_fail(const StratEt *et, uint32_t rank, uint32_t index, GError **error,
                   const char *format, ...) G_GNUC_PRINTF(5, 6);

/** Finds what each node waits for and an order of each rank's nodes: ready ones by their ids. False
 *  and @error on an id that is there twice, one that is missing, or a circle. (strat_et_order.c) */
bool strat_et_order(StratEt *et, GError **error);

/** Turns names and dimensions of collectives into groups. @dimensions: ranks along each dimension,
 *  the first the fastest; NULL and 0: not given. False and @error on a name that nobody tells, ranks
 *  that are not there, or a node that is no member of its own group. (strat_et_groups.c) */
bool strat_et_find_groups(StratEt *et, const int64_t *dimensions, size_t count, GError **error);

#define STRAT_ET_ERROR (strat_et_error_quark())
GQuark strat_et_error_quark(void);

typedef enum StratEtError {
    STRAT_ET_ERROR_TRACE,    /* the trace makes no sense */
    STRAT_ET_ERROR_DEADLOCK, /* its ranks wait for each other */
} StratEtError;

#endif
