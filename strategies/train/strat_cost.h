/** Seconds of a model chunk's forward and backward pass on one rank: the operations of models/
 *  priced by kernels/ and by a network model. */
#ifndef STRAT_COST_H
#define STRAT_COST_H

#include "kern_attention.h"
#include "kern_evidence.h"
#include "kern_profile.h"
#include "model_ops.h"
#include "strat_bucket.h"
#include "strat_job_state.h"
#include "strat_kind.h"
#include "strat_plan.h"
#include "topo_fabric_change.h"
#include "topo_net.h"

/** Everything a price depends on; borrowed. */
struct StratCosting {
    const ModelSpec *model;
    const StratPlan *plan;
    const TopoCluster *cluster;
    const int64_t *gpu_of_rank; /* where each rank runs; NULL: rank r on GPU r */
    const TopoNet *net;
    bool has_fabric;           /* the scenario says what it runs on: closed forms look at it too */
    TopoFabricSpec fabric;     /* for nets that share links, and where has_fabric */
    TopoFabricChanges changes; /* likewise: what is not as that says */
    const char *routing;       /* likewise: a row of topo_route_all() */
    uint64_t seed;             /* of routing policies that hash */
    KernDevice device;
    KernDevice mixed_device;    /* of the cluster's second kind of nodes, where it has one */
    const int64_t *dealt;       /* microbatches of each replica; NULL: as many (strat_deal.h) */
    const StratJobState *state; /* GPUs and NICs that are worse than the others; NULL: none */
    bool keeps_links; /* runs tell of every link that carried something, and how much over time */
    bool graded;      /* spans say their kind, evidence and work as well */
};

/** Part of a stage that is run as one piece: some layers, perhaps the embedding or the head. */
struct StratModelChunk {
    int64_t layers;
    int64_t moe_layers; /* of these, the last so many have experts */
    int64_t wide_first; /* of them, so many at its beginning and */
    int64_t wide_last;  /* at its end stay in 16 bits where the plan quantises */
    int64_t spared;     /* of the layers, those that keep all although the plan recomputes: the
                           last ones of each kind */
    int64_t spared_moe; /* of these, those with experts */
    int64_t in_model;   /* layers before these, in the model and in their model chunk */
    int64_t in_chunk;
    int64_t teacher_layers; /* of the teacher, that stand with them */
    bool embedding;
    bool head;
    bool receives_forward;  /* its input comes from another stage */
    bool receives_backward; /* and so does its output's gradient */
    bool starts_forward;    /* the task's first piece: the exchange comes before it */
    bool starts_backward;
    int64_t tensor_per_domain;  /* ranks of the tensor group inside one scale-up domain */
    int64_t context_per_domain; /* likewise of the context group */
    int64_t expert_per_domain;  /* and of the expert group */
    double beside_s;            /* compute of the other chunk of a pair; 0: it runs alone */
    double clock_fraction;      /* that is left of the rank's clock; 0: all */
    double tensor_nic_fraction; /* of the bandwidth of the tensor group's weakest NIC; 0: all */
    double context_nic_fraction;
    double expert_nic_fraction;
    TopoKind kind; /* of the rank's node */
};

/** A costing whose cluster is of one kind of nodes. */
typedef struct StratOwnCosting {
    StratCosting costing;
    TopoCluster cluster;
} StratOwnCosting;

/** What prices a rank on a node of @kind, first or second: @costing itself, or @room with the second
 *  kind's device and nodes. @costing is borrowed. */
const StratCosting *strat_costing_of_kind(const StratCosting *costing, TopoKind kind,
                                          StratOwnCosting *room);

/** A stretch of a rank's time. */
typedef struct StratSpan {
    double seconds;
    StratBucket bucket;
    const char *label;
    StratKind kind; /* these four where the costing is graded */
    KernEvidence evidence;
    double flop, bytes; /* of an operation whose work is counted (strat_work.h); else 0 */
} StratSpan;

/** Whether transfers are laid over the links of the fabric. */
bool strat_costing_reads_fabric(const StratCosting *costing);

/** How the ranks of the plan cut a microbatch; rows of experts are even. */
ModelShard strat_shard(const StratPlan *plan);

/** Appends the spans of @chunk's forward to @spans (of StratSpan). */
void strat_cost_forward(const StratCosting *costing, const StratModelChunk *chunk, GArray *spans);

/** Parts of a backward. */
typedef enum StratBackward {
    STRAT_BACKWARD_INPUT = 1,  /* gradient of the input, which the stage before waits for */
    STRAT_BACKWARD_WEIGHT = 2, /* gradients of the weights */
    STRAT_BACKWARD_WHOLE = 3,
} StratBackward;

/** Appends the spans of @parts of its backward, recomputation included. */
void strat_cost_backward(const StratCosting *costing, const StratModelChunk *chunk,
                         StratBackward parts, GArray *spans);

/** Whether each tensor rank passes the group's whole activation on, instead of its share. */
bool strat_sends_whole(const StratPlan *plan);

/** A chunk's share of @stage_s, a measured time of a microbatch on a whole stage of @plan, in
 *  seconds on @device, of which nobody said what part scales with the clock: all of it is taken to.
 */
double strat_profiled_s(const KernDevice *device, const StratPlan *plan, double stage_s);

/** Bytes of a pass: models/ counts activations of two bytes, a CPU in fp32 moves four. */
double strat_pass_bytes(const StratCosting *costing, double bytes);

/** Bytes of one activation (or gradient) that one rank passes to its neighbour stage: its own share
 *  of the tensor group's, or all. */
double strat_send_bytes(const StratCosting *costing);

/** Seconds of the GPU's optimizer, none where the host updates, for @parameters on a rank, of which
 * it updates @updated. */
double strat_cost_optimizer_s(const StratCosting *costing, double parameters, double updated);

/** Bytes that @chunk keeps from one microbatch's forward to its backward, on one rank. */
double strat_chunk_saved_bytes(const StratCosting *costing, const StratModelChunk *chunk);

/** Bytes that it keeps on the host meanwhile. */
double strat_chunk_host_bytes(const StratCosting *costing, const StratModelChunk *chunk);

/** Seconds by which the copy of that of layer @layer of @chunk, to the host or back, outlasts the
 *  layer, whose spans are those of @spans from @first on; none when it does not. Copies of the
 *  layers that are offloaded are spread evenly over all. */
double strat_layer_offload_s(const StratCosting *costing, const StratModelChunk *chunk,
                             int64_t layer, const GArray *spans, guint first);

/** Bytes that it keeps from the input's gradient to the weights', where those are apart: inputs of
 *  its products, and gradients of their outputs. */
double strat_chunk_weight_bytes(const StratCosting *costing, const StratModelChunk *chunk);

#endif
