/** What the files of the compiler share. Nobody else includes this. */
#ifndef STRAT_COMPILE_PRIVATE_H
#define STRAT_COMPILE_PRIVATE_H

#include "strat_blocks.h"
#include "strat_compile.h"
#include "strat_pipe.h"
#include "strat_rendezvous.h"
#include "strat_schedule.h"

enum {
    STRAT_PIECES_MAX = 8, /* of a chunk whose weights are whole */
    STRAT_BESIDE_MAX = 3, /* transfers beside a block: tensor, context and expert group's */
};

#define STRAT_NO_OP UINT32_MAX

/** Parameters that different ranks hold alike. */
typedef enum StratParamsKind {
    STRAT_PARAMS_SHARED,  /* by the data group, in one or several copies */
    STRAT_PARAMS_EXPERTS, /* routed experts: by the ranks with the same ones */
    STRAT_PARAMS_KINDS
} StratParamsKind;

/** The ranks that share a copy of some parameters, and their meetings so far. */
typedef struct StratReplicas {
    StratFamily family;
    StratTransferRole role;
    int64_t ranks, per_domain;
    double nic_fraction;
    TopoKind kind; /* of their nodes */
    uint32_t nth;
} StratReplicas;

/** One model chunk of one class: its recipes, and the recipes of its pieces. */
typedef struct StratChunkCode {
    StratModelChunk chunk;
    uint32_t block[STRAT_TASK_KINDS];
    int64_t piece_count;
    StratModelChunk *pieces;
    uint32_t *piece_block[STRAT_TASK_KINDS];
    double *piece_params[STRAT_PARAMS_KINDS];
    double *piece_trained[STRAT_PARAMS_KINDS]; /* of them, those with gradients */
    uint32_t *gather[STRAT_PARAMS_KINDS];      /* operations that bring them, or none */
    /* Transfers beside the pieces' blocks and, last, the chunk's own: number + 1, 0 when not yet
     * known, or none. */
    uint32_t *beside[STRAT_BESIDE_MAX][STRAT_TASK_KINDS];
} StratChunkCode;

/** Transfers of a class's tensor or context group beside its blocks. */
typedef struct StratBesideCode {
    size_t kind; /* row of a table in strat_compile_beside.c */
    StratFamily family;
    uint16_t stream;
    uint32_t nth; /* meetings of the family so far */
    int64_t ranks, ranks_per_domain;
} StratBesideCode;

/** What is known of a class while its operations are added: streams and families, and, task by task
 *  of the step at hand, the first and last operation and the send of the result. */
typedef struct StratClassCode {
    uint32_t *first[STRAT_DIRECTIONS], *last[STRAT_DIRECTIONS], *send[STRAT_DIRECTIONS];
    uint8_t
        *first_beside[STRAT_DIRECTIONS]; /* how many transfers, the next operations, are beside */
    StratPosition position;
    StratPipeline pipeline; /* of its replica, and the order of its tasks there */
    GPtrArray *orders;
    int64_t stage;
    bool is_shown; /* its tasks are those of the stage in StratStep.tasks */
    uint16_t stream_send[STRAT_DIRECTIONS], stream_data;
    uint16_t stream_down, stream_up, stream_update; /* to and from the host, and its update */
    uint32_t last_update;                           /* the host's, where it is delayed, or none */
    uint32_t send_transfer[STRAT_DIRECTIONS];       /* to the next stage, to the one before */
    StratFamily gang_family, copies_family, ends_family;
    uint32_t gang_nth, copies_nth, ends_nth; /* meetings so far */
    StratReplicas replicas[STRAT_PARAMS_KINDS];
    StratReplicas mirror; /* the ranks with the same chunks, where the model is there twice */
    GArray *peers;        /* of uint32_t: the classes of its gang */
    StratBesideCode beside[STRAT_BESIDE_MAX];
    uint32_t beside_count;
    uint32_t pending[STRAT_BESIDE_MAX]; /* beside the last block: the main stream waits for them */
    uint32_t pending_count;
    uint32_t last_main;   /* operation of the main stream, or none */
    uint32_t last_reduce; /* the last reduction of gradients in the step, or none */
    GArray *reductions;   /* of uint32_t: all of them */
    StratChunkCode *chunks;
    int64_t chunk_count;
} StratClassCode;

typedef struct StratCompiler {
    const StratCosting *costing;
    const StratPlan *plan;
    const StratSchedule *schedule;
    StratPipeline pipeline;
    GPtrArray *orders; /* of GArray of StratTask, by stage */
    const StratFold *fold;
    SimProgram *program;
    StratTransfers *transfers;
    const char *prefix;   /* of class names */
    GArray *tasks;        /* as StratSteps.tasks */
    uint32_t first_class; /* of the program: number of the fold's first */
    StratClassCode *classes;
    StratBlocks *blocks;
    StratRendezvous *rendezvous;
    uint16_t label_send[STRAT_DIRECTIONS], label_task[STRAT_TASK_KINDS];
} StratCompiler;

/** Makes class @class and its blocks. False and @error when a price is not a time. */
bool strat_compile_open(StratCompiler *c, uint32_t class, GError **error);

/** Frees what strat_compile_open() made. */
void strat_compile_close(StratClassCode *code);

/** Parameters of @kind in the chunks of a class that learn. */
double strat_compile_trained(const StratCompiler *c, const StratClassCode *code, int kind);

/** Of these, those of all kinds that one of its ranks updates. */
double strat_compile_updated(const StratCompiler *c, const StratClassCode *code);

/** Adds what ends the step of class @class, whose tasks have been added. */
bool strat_compile_end(StratCompiler *c, uint32_t class, GError **error);

/** Adds one step of class @class, which has been opened like all others of its gang. */
bool strat_compile_step(StratCompiler *c, uint32_t class, GError **error);

/** Whether the plan's weights are gathered, unit by unit, for each task that needs them. */
bool strat_compile_has_units(const StratCompiler *c);

/** Adds all tasks of class @class, whose chunks are cut into units. False and @error when a price
 * is not a time. */
bool strat_compile_units(StratCompiler *c, uint32_t class, GError **error);

/** Appends @seconds to the main stream of @class. False and @error when that is not a time. */
bool strat_compile_span(StratCompiler *c, uint32_t class, double seconds, StratBucket bucket,
                        const char *label, GError **error);

/** Seconds of the gather (STRAT_FORWARD) or the reduction of @params parameters over the ranks that
 *  share a copy, alone on the network; 0 where nobody shares them. */
double strat_compile_data_s(const StratCompiler *c, const StratClassCode *code, double params,
                            int direction);

/** Appends @piece of @task, or all of it when that is negative; @first is what its input arrives
 * at. Returns the operation. */
uint32_t strat_compile_piece(StratCompiler *c, uint32_t class, const StratTask *task, int64_t piece,
                             bool first);

/** Sends on what @task, whose last piece has been appended, has computed. */
void strat_compile_result(StratCompiler *c, uint32_t class, const StratTask *task);

/** @fraction of a weak NIC's bandwidth where the price is to know it, else 0: on a fabric links do.
 */
double strat_compile_priced(const StratCompiler *c, double fraction);

/** Adds the @nth meeting of @owner's family, in which it runs @transfer. Returns the operation. */
uint32_t strat_compile_collective(StratCompiler *c, const StratOwner *owner, uint16_t stream,
                                  uint32_t nth, const TopoTransfer *transfer, const char *label);

/** Whether any parameters of @code are on other ranks too, or on the host. */
bool strat_compile_is_shared(const StratCompiler *c, const StratClassCode *code);

/** Finds the ranks that share the parameters of @rank, whose class is @code. */
void strat_compile_open_replicas(StratCompiler *c, StratClassCode *code, int64_t rank);

/** Adds the gather of @params parameters of @kind after operation @after (or none) of the main
 *  stream; on the main stream itself where data-parallel traffic does not overlap. Returns it, or
 *  none where nobody has a part of them. */
uint32_t strat_compile_gather(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                              uint32_t after);

/** Adds the reduction of the gradients of @params parameters of @kind, final after the last
 *  operation @after, or what the plan does instead. Nothing where nobody shares them. False and
 *  @error when a price is not a time. */
bool strat_compile_reduce(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                          uint32_t after, GError **error);

/** Bytes of a bucket of the plan; 0: buckets have no size. */
double strat_compile_bucket(const StratCompiler *c);

/** Adds what brings @params compressed gradients that were exchanged back into shape. */
bool strat_compile_restore(StratCompiler *c, uint32_t class, double params, GError **error);

/** Cuts @chunk into @pieces (room for all its units) of the plan's bucket size; @first: the chunk's
 *  backward is the stage's first. Returns how many. */
int64_t strat_compile_buckets(const StratCompiler *c, const StratModelChunk *chunk, bool first,
                              StratModelChunk *pieces);

/** Adds the streams of class @class to and from its host. */
void strat_compile_open_host(StratCompiler *c, uint32_t class);

/** Adds the copy of @bytes of weights from where the plan keeps them, after operation @after (or
 *  none) of the main stream. Returns it, or none where they are on the GPU. */
uint32_t strat_compile_fetch(StratCompiler *c, uint32_t class, double bytes, uint32_t after);

/** Adds the copy of @bytes of gradients to the host after @after (or what there is so far). Returns
 *  it, or @after where the GPU updates. */
uint32_t strat_compile_down(StratCompiler *c, uint32_t class, double bytes, uint32_t after);

/** Adds, at the start of a step, the host's update of @params parameters that the step before left;
 *  nothing where it does not wait for a step. */
void strat_compile_delayed_update(StratCompiler *c, uint32_t class, double params);

/** Adds the update of @updated of @params parameters that learn to the main stream, or what waits
 *  for the host to do it. False and @error when its price is not a time. */
bool strat_compile_update(StratCompiler *c, uint32_t class, double params, double updated,
                          GError **error);

/** Whether gradients are reduced after @task of @code. */
bool strat_compile_reduces(const StratCompiler *c, const StratClassCode *code,
                           const StratTask *task);

/** Appends @op to the main stream of @class, after the transfers beside the last block. */
uint32_t strat_compile_main(StratCompiler *c, uint32_t class, SimOp op);

/** Has @op, of another stream, wait for @block, the last of @class, and for what is beside it. */
void strat_compile_after(StratCompiler *c, uint32_t class, uint32_t op, uint32_t block);

/** Finds out which groups of @class put traffic beside its blocks; all classes are open. */
void strat_compile_open_beside(StratCompiler *c, uint32_t class);

/** Appends the block of chunk @chunk, or of piece @piece of it unless that is negative, and the
 *  transfers beside it. Returns the block's operation. */
uint32_t strat_compile_block(StratCompiler *c, uint32_t class, int64_t chunk, int64_t piece,
                             StratTaskKind kind);

/** Has @block, the last that was appended to @class, and what is beside it wait for @on. */
void strat_compile_block_waits(StratCompiler *c, uint32_t class, uint32_t block, uint32_t on);

#endif
