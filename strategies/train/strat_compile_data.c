/* Data-parallel traffic of a class: gathers of parameters and reductions of gradients.
 *
 * Parameters that all ranks of a data group hold move over the ranks that share a copy, and their
 * gradients then over the copies. Routed experts move over the ranks with the same ones. Of P
 * parameters a reduction takes P times the bytes of a gradient, over copies that of a shard; a
 * gather takes 2 P bytes, or q P where weights are kept in q bytes and the recipe gathers them so
 * (the embedding's and the head's are taken for quantised too). What replicas do instead of a
 * reduction is in strat_agree.c.
 *
 * Where the model is there twice (strat_schedule_dual.c), the D ranks of a stage that hold the same
 * parameters share them with as many of the mirror stage. All 2 D reduce together in two levels:
 *
 *   reduce-scatter over D of all, all-reduce over the pair of a D-th, all-gather over D of all
 *
 * which moves 2 (2 D - 1) / (2 D) of the bytes, as a ring of 2 D does. A sharded optimizer has 1 /
 * 2 D: the pair scatters its D-th and gathers it first.
 *
 * Where whole tensors have owners (InternEvo, hybrid_zero_optim.py), gradients are summed on all
 * ranks, and each owner broadcasts its tensors after the step, one owner after the other. Together
 * that moves the bytes of a gather; besides, each broadcast fills the ring rank by rank,
 *
 *   min(ranks, tensors) * (ranks - 1) * plan.owner_hop   [s]
 *
 * Gradients come in buckets: pieces of a chunk whose last gradient is final at one moment, up to
 * eight of equal layers, or of a size. A bucket of size B is the fewest units (layer, embedding,
 * head) from the end of the chunk on with B bytes or more; a unit of n B bytes is reduced by n
 * operations, one after the other (PyTorch DDP closes a bucket likewise, tensor by tensor: Li 2020,
 * section 4.2; Megatron-Core by parameters).
 *
 * Left out: buckets that hold parameters of both kinds, and gradients of a unit that are final
 * before its last one. */
#include "strat_compile_private.h"

#include "strat_agree.h"
#include "strat_layout.h"

#include <math.h>

double strat_compile_bucket(const StratCompiler *c)
{
    return strat_bucket_bytes(&c->plan->data_parallel.buckets,
                              topo_dtype_bytes(c->plan->gradients));
}

double strat_compile_priced(const StratCompiler *c, double fraction)
{
    return strat_costing_reads_fabric(c->costing) ? 0.0 : fraction;
}

/* What the ranks that share a copy, @replicas, move for @params parameters: their gradients or,
 * forward, the parameters themselves. */
static TopoTransfer shard_transfer(const StratCompiler *c, const StratReplicas *replicas,
                                   double params, int direction)
{
    const StratPlan *plan = c->plan;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = replicas->ranks,
                             .ranks_per_domain = replicas->per_domain,
                             .bytes = params * topo_dtype_bytes(plan->gradients),
                             .nic_fraction = replicas->nic_fraction,
                             .kind = replicas->kind};
    if (direction == STRAT_FORWARD) {
        transfer.op = TOPO_OP_ALL_GATHER;
        transfer.bytes = strat_recipe_gathered_bytes(&plan->quantise, plan->precision) * params;
    } else if (plan->zero_stage > 0) {
        transfer.op = plan->owner_hop_s > 0.0 ? TOPO_OP_ALL_REDUCE : TOPO_OP_REDUCE_SCATTER;
    } else {
        strat_agree_apply(c->costing, params, &transfer);
    }
    return transfer;
}

double strat_compile_data_s(const StratCompiler *c, const StratClassCode *code, double params,
                            int direction)
{
    const StratReplicas *replicas = &code->replicas[STRAT_PARAMS_SHARED];
    if (replicas->ranks == 1 || params <= 0.0)
        return 0.0;
    TopoTransfer transfer = shard_transfer(c, replicas, params, direction);
    return c->costing->net->seconds(c->costing->cluster, &transfer);
}

/* Where there are several copies, the sum of the shards' gradients over them. */
static TopoTransfer copies_transfer(const StratCompiler *c, const StratClassCode *code,
                                    double params)
{
    const StratPlan *plan = c->plan;
    double shards = (double)strat_shard_ranks(plan);
    return (TopoTransfer){.op = TOPO_OP_ALL_REDUCE,
                          .ranks = strat_inner_ranks(plan) / strat_shard_ranks(plan),
                          .ranks_per_domain = code->position.copies_per_domain,
                          .bytes = params / shards * topo_dtype_bytes(plan->gradients),
                          .nic_fraction =
                              strat_compile_priced(c, code->position.copies_nic_fraction),
                          .kind = code->position.copies_kind};
}

bool strat_compile_is_shared(const StratCompiler *c, const StratClassCode *code)
{
    return c->plan->data * c->plan->context > 1 || code->replicas[STRAT_PARAMS_EXPERTS].ranks > 1 ||
           c->plan->offload.optimizer != STRAT_STORE_DEVICE ||
           c->plan->offload.parameters != STRAT_STORE_DEVICE || code->mirror.ranks > 1;
}

uint32_t strat_compile_collective(StratCompiler *c, const StratOwner *owner, uint16_t stream,
                                  uint32_t nth, const TopoTransfer *transfer, const char *label)
{
    SimOp op = {.rank_class = c->first_class + owner->rank_class,
                .group = strat_rendezvous_at(c->rendezvous, owner->family, nth),
                .transfer = strat_transfers_number(c->transfers, transfer, owner),
                .stream = stream,
                .bucket = STRAT_BUCKET_DATA_COMM,
                .label = sim_program_label(c->program, label),
                .kind = SIM_OP_COLLECTIVE};
    if (stream == SIM_STREAM_MAIN)
        return strat_compile_main(c, owner->rank_class, op);
    return sim_program_add_op(c->program, &op);
}

/* What of their NICs the ranks of a data group use, where @weak is left of the weakest. */
static double nic_share(const StratCompiler *c, double weak)
{
    double left = strat_compile_priced(c, weak), used = c->plan->data_nic_fraction;
    return used > 0.0 ? used * (left > 0.0 ? left : 1.0) : left;
}

void strat_compile_open_replicas(StratCompiler *c, StratClassCode *code, int64_t rank)
{
    StratGroup data = strat_shard_group(c->plan, rank);
    code->replicas[STRAT_PARAMS_SHARED] = (StratReplicas){
        .family = strat_rendezvous_family(c->rendezvous, &data, "data"),
        .role = STRAT_ROLE_DATA,
        .ranks = data.count,
        .per_domain = code->position.data_per_domain,
        .nic_fraction = nic_share(c, code->position.data_nic_fraction),
        .kind = code->position.data_kind,
    };
    StratGroup mirror = strat_mirror_group(c->plan, rank);
    code->mirror = (StratReplicas){
        .family = strat_rendezvous_family(c->rendezvous, &mirror, "mirror"),
        .role = STRAT_ROLE_MIRROR,
        .ranks = mirror.count,
        .per_domain = code->position.mirror_per_domain,
        .nic_fraction = strat_compile_priced(c, code->position.mirror_nic_fraction),
    };
    StratReplicas *experts = &code->replicas[STRAT_PARAMS_EXPERTS];
    experts->ranks = 1;
    if (c->plan->expert == 0)
        return;
    StratGroup same = strat_expert_data_group(c->plan, rank);
    *experts = (StratReplicas){
        .family = strat_rendezvous_family(c->rendezvous, &same, "copies of experts"),
        .role = STRAT_ROLE_EXPERT_DATA,
        .ranks = same.count,
        .per_domain = code->position.expert_data_per_domain,
        .nic_fraction = nic_share(c, code->position.expert_data_nic_fraction),
        .kind = code->position.expert_data_kind,
    };
}

static uint16_t data_stream(const StratCompiler *c, const StratClassCode *code)
{
    return c->plan->overlap_data ? code->stream_data : SIM_STREAM_MAIN;
}

/* Adds the nth meeting of @class with its mirror, of @bytes. */
static uint32_t add_mirror(StratCompiler *c, uint32_t class, TopoCollectiveOp kind, double bytes,
                           const char *label)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *mirror = &code->mirror;
    StratOwner owner = {class, mirror->family, mirror->role};
    TopoTransfer transfer = {.op = kind,
                             .ranks = mirror->ranks,
                             .ranks_per_domain = mirror->per_domain,
                             .bytes = bytes,
                             .nic_fraction = mirror->nic_fraction};
    return strat_compile_collective(c, &owner, data_stream(c, code), mirror->nth++, &transfer,
                                    label);
}

uint32_t strat_compile_gather(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                              uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    bool shared = replicas->ranks > 1, mirrored = code->mirror.ranks > 1;
    if (params <= 0.0)
        return STRAT_NO_OP;
    uint16_t stream = c->plan->owner_hop_s > 0.0 ? SIM_STREAM_MAIN : data_stream(c, code);
    uint32_t id = strat_compile_fetch(c, class, 2.0 * params / (double)replicas->ranks, after);
    uint32_t fetched = id;
    if (mirrored) {
        double part = params / (double)replicas->ranks;
        id = add_mirror(c, class, TOPO_OP_ALL_GATHER, 2.0 * part, "gather parameters");
        if (stream != SIM_STREAM_MAIN && after != STRAT_NO_OP)
            strat_compile_after(c, class, id, after);
    }
    if (shared) {
        StratOwner owner = {class, replicas->family, replicas->role};
        TopoTransfer transfer = shard_transfer(c, replicas, params, STRAT_FORWARD);
        id = strat_compile_collective(c, &owner, stream, replicas->nth++, &transfer,
                                      "gather parameters");
        if (stream != SIM_STREAM_MAIN && after != STRAT_NO_OP && !mirrored)
            strat_compile_after(c, class, id, after);
        if (fetched != STRAT_NO_OP)
            sim_program_add_dep(c->program, id, fetched);
    }
    return id;
}

/* Adds the block of @seconds of work for the exchange itself to the main stream, if it is any. */
static bool add_passes(StratCompiler *c, uint32_t class, double seconds, const char *label,
                       GError **error)
{
    StratSpan span = {.seconds = seconds, .bucket = STRAT_BUCKET_DATA_COMM, .label = label};
    SimOp op = {.group = SIM_GROUP_NONE,
                .label = sim_program_label(c->program, label),
                .kind = SIM_OP_COMPUTE};
    if (seconds <= 0.0)
        return true;
    if (!strat_blocks_span(c->blocks, &span, &op.block, error))
        return false;
    strat_compile_main(c, class, op);
    return true;
}

bool strat_compile_restore(StratCompiler *c, uint32_t class, double params, GError **error)
{
    bool exchanged = c->classes[class].last_reduce != STRAT_NO_OP;
    return !exchanged ||
           add_passes(c, class, strat_restore_s(c->costing, params), "restore gradients", error);
}

static uint32_t reduce_shared(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                              bool mirrored, uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    StratOwner owner = {class, replicas->family, replicas->role};
    uint16_t stream = data_stream(c, code);
    double bucket = strat_compile_bucket(c), times = 1.0;
    if (bucket > 0.0)
        times = MAX(1.0, ceil(params * topo_dtype_bytes(c->plan->gradients) / bucket));
    TopoTransfer transfer = shard_transfer(c, replicas, params / times, STRAT_BACKWARD);
    transfer.op = mirrored ? TOPO_OP_REDUCE_SCATTER : transfer.op;
    uint32_t id = after;
    for (double i = 0.0; i < times; i += 1.0) {
        id = strat_compile_collective(c, &owner, stream, replicas->nth++, &transfer,
                                      "reduce gradients");
        if (stream != SIM_STREAM_MAIN && after != STRAT_NO_OP)
            strat_compile_after(c, class, id, after);
        g_array_append_val(code->reductions, id);
    }
    return id;
}

/* Adds the gradients of @params parameters over both copies of the model, after those of one, which
 * are scattered over @replicas. Returns the last operation. */
static uint32_t reduce_mirror(StratCompiler *c, uint32_t class, StratReplicas *replicas,
                              double params, uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    bool sharded = c->plan->zero_stage > 0, shared = replicas->ranks > 1;
    double bytes = params * topo_dtype_bytes(c->plan->gradients);
    uint32_t id = add_mirror(c, class, sharded ? TOPO_OP_REDUCE_SCATTER : TOPO_OP_ALL_REDUCE,
                             bytes / (double)replicas->ranks, "reduce over both copies");
    if (data_stream(c, code) != SIM_STREAM_MAIN && !shared)
        strat_compile_after(c, class, id, after);
    if (sharded || !shared)
        return id;
    TopoTransfer gather = shard_transfer(c, replicas, params, STRAT_FORWARD);
    gather.bytes = bytes;
    StratOwner owner = {class, replicas->family, replicas->role};
    return strat_compile_collective(c, &owner, data_stream(c, code), replicas->nth++, &gather,
                                    "gather gradients");
}

bool strat_compile_reduce(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                          uint32_t after, GError **error)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    const StratPlan *plan = c->plan;
    bool shared = replicas->ranks > 1;
    bool copied = kind == STRAT_PARAMS_SHARED && replicas->ranks < strat_inner_ranks(plan);
    bool mirrored = code->mirror.ranks > 1, down = plan->offload.optimizer != STRAT_STORE_DEVICE;
    if ((!shared && !copied && !mirrored && !down) || plan->optimizer == STRAT_OPTIMIZER_NONE ||
        params <= 0.0 || strat_data_is_apart(&plan->data_parallel))
        return true;
    uint16_t stream = data_stream(c, code);
    double compress_s = strat_compress_s(c->costing, params);
    if (!add_passes(c, class, compress_s, "compress gradients", error))
        return false;
    if (compress_s > 0.0)
        after = code->last_main;
    uint32_t id = after;
    if (shared)
        id = reduce_shared(c, class, kind, params, mirrored, after);
    if (copied) {
        TopoTransfer transfer = copies_transfer(c, code, params);
        StratOwner owner = {class, code->copies_family, STRAT_ROLE_COPIES};
        id = strat_compile_collective(c, &owner, stream, code->copies_nth++, &transfer,
                                      "reduce copies");
        if (stream != SIM_STREAM_MAIN && !shared)
            strat_compile_after(c, class, id, after);
        g_array_append_val(code->reductions, id);
    }
    if (mirrored)
        id = reduce_mirror(c, class, replicas, params, after);
    double shards = plan->zero_stage > 0 ? (double)replicas->ranks : 1.0;
    code->last_reduce =
        strat_compile_down(c, class, params / shards * topo_dtype_bytes(plan->gradients), id);
    if (mirrored || down)
        g_array_append_val(code->reductions, code->last_reduce);
    return true;
}

/* Bytes of the gradients of unit @i of @chunk. */
static double unit_bytes(const StratCompiler *c, const StratModelChunk *chunk, int64_t i)
{
    StratModelChunk unit = {.embedding = chunk->embedding && i == 0,
                            .head = chunk->head && i == strat_chunk_unit_count(chunk) - 1};
    unit.layers = chunk->layers > 0 && !unit.embedding && !unit.head;
    bool dense = i - chunk->embedding < chunk->layers - chunk->moe_layers;
    unit.moe_layers = dense ? 0 : unit.layers;
    double params = strat_chunk_params(c->costing->model, c->plan, &unit) +
                    strat_chunk_expert_params(c->costing->model, c->plan, &unit);
    return params * topo_dtype_bytes(c->plan->gradients);
}

int64_t strat_compile_buckets(const StratCompiler *c, const StratModelChunk *chunk, bool first,
                              StratModelChunk *pieces)
{
    double size = strat_compile_bucket(c), held = 0.0;
    double opening = c->plan->data_parallel.buckets.first_bytes;
    double limit = first && opening > 0.0 ? opening : size;
    int64_t units = strat_chunk_unit_count(chunk), count = 0;
    g_autofree int64_t *layers = g_new0(int64_t, units); /* of each piece, the last one first */
    for (int64_t i = units - 1; i >= 0; i--) {
        bool is_end = (chunk->embedding && i == 0) || (chunk->head && i == units - 1);
        layers[count] += chunk->layers > 0 && !is_end;
        held += unit_bytes(c, chunk, i);
        if (held < limit && i > 0)
            continue;
        count++;
        held = 0.0;
        limit = size;
    }
    for (int64_t i = 0; i < count / 2; i++) {
        int64_t swap = layers[i];
        layers[i] = layers[count - 1 - i];
        layers[count - 1 - i] = swap;
    }
    strat_chunk_cut(c->plan, chunk, layers, count, pieces);
    return count;
}
