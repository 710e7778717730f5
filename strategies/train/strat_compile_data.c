/* Data-parallel traffic of a class: gathers of parameters and reductions of gradients.
 *
 * Parameters that all ranks of a data group hold move over the ranks that share a copy, and their
 * gradients then over the copies. Routed experts move over the ranks with the same ones. Of P
 * parameters a reduction takes P times the bytes of a gradient, over copies that of a shard; a
 * gather takes 2 P bytes, or q P where weights are kept in q bytes and the recipe gathers them so
 * (the embedding's and the head's are taken for quantised too).
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
 * Left out: buckets that hold parameters of both kinds. */
#include "strat_compile_private.h"

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
                             .nic_fraction = replicas->nic_fraction};
    if (direction == STRAT_FORWARD) {
        transfer.op = TOPO_OP_ALL_GATHER;
        transfer.bytes = strat_recipe_gathered_bytes(&plan->quantise, plan->precision) * params;
    } else if (plan->zero_stage > 0) {
        transfer.op = plan->owner_hop_s > 0.0 ? TOPO_OP_ALL_REDUCE : TOPO_OP_REDUCE_SCATTER;
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
                          .ranks = plan->data * plan->context / strat_shard_ranks(plan),
                          .ranks_per_domain = code->position.copies_per_domain,
                          .bytes = params / shards * topo_dtype_bytes(plan->gradients),
                          .nic_fraction =
                              strat_compile_priced(c, code->position.copies_nic_fraction)};
}

bool strat_compile_is_shared(const StratCompiler *c, const StratClassCode *code)
{
    return c->plan->data * c->plan->context > 1 || code->replicas[STRAT_PARAMS_EXPERTS].ranks > 1 ||
           code->mirror.ranks > 1;
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
    if ((!shared && !mirrored) || params <= 0.0)
        return STRAT_NO_OP;
    uint16_t stream = c->plan->owner_hop_s > 0.0 ? SIM_STREAM_MAIN : data_stream(c, code);
    uint32_t id = STRAT_NO_OP;
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

void strat_compile_reduce(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                          uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    const StratPlan *plan = c->plan;
    bool shared = replicas->ranks > 1;
    bool copied = kind == STRAT_PARAMS_SHARED && replicas->ranks < plan->data * plan->context;
    bool mirrored = code->mirror.ranks > 1;
    if ((!shared && !copied && !mirrored) || plan->optimizer == STRAT_OPTIMIZER_NONE ||
        params <= 0.0)
        return;
    uint16_t stream = data_stream(c, code);
    uint32_t id = after;
    if (shared) {
        TopoTransfer transfer = shard_transfer(c, replicas, params, STRAT_BACKWARD);
        transfer.op = mirrored ? TOPO_OP_REDUCE_SCATTER : transfer.op;
        StratOwner owner = {class, replicas->family, replicas->role};
        id = strat_compile_collective(c, &owner, stream, replicas->nth++, &transfer,
                                      "reduce gradients");
        if (stream != SIM_STREAM_MAIN)
            strat_compile_after(c, class, id, after);
    }
    if (copied) {
        TopoTransfer transfer = copies_transfer(c, code, params);
        StratOwner owner = {class, code->copies_family, STRAT_ROLE_COPIES};
        id = strat_compile_collective(c, &owner, stream, code->copies_nth++, &transfer,
                                      "reduce copies");
        if (stream != SIM_STREAM_MAIN && !shared)
            strat_compile_after(c, class, id, after);
    }
    code->last_reduce = mirrored ? reduce_mirror(c, class, replicas, params, after) : id;
}
