/* Data-parallel traffic of a class: gathers of parameters and reductions of gradients.
 *
 * Parameters that all ranks of a data group hold move over the ranks that share a copy, and their
 * gradients then over the copies. Routed experts move over the ranks with the same ones. Of P
 * parameters a reduction takes P times the bytes of a gradient, over copies that of a shard; a
 * gather takes 2 P bytes.
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
        transfer.bytes = 2.0 * params;
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
    return c->plan->data * c->plan->context > 1 || code->replicas[STRAT_PARAMS_EXPERTS].ranks > 1;
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

uint32_t strat_compile_gather(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                              uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    if (replicas->ranks == 1 || params <= 0.0)
        return STRAT_NO_OP;
    StratOwner owner = {class, replicas->family, replicas->role};
    TopoTransfer transfer = shard_transfer(c, replicas, params, STRAT_FORWARD);
    uint16_t stream = c->plan->owner_hop_s > 0.0 ? SIM_STREAM_MAIN : data_stream(c, code);
    uint32_t id = strat_compile_collective(c, &owner, stream, replicas->nth++, &transfer,
                                           "gather parameters");
    if (stream != SIM_STREAM_MAIN && after != STRAT_NO_OP)
        strat_compile_after(c, class, id, after);
    return id;
}

void strat_compile_reduce(StratCompiler *c, uint32_t class, StratParamsKind kind, double params,
                          uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    const StratPlan *plan = c->plan;
    bool shared = replicas->ranks > 1;
    bool copied = kind == STRAT_PARAMS_SHARED && replicas->ranks < plan->data * plan->context;
    if ((!shared && !copied) || plan->optimizer == STRAT_OPTIMIZER_NONE || params <= 0.0)
        return;
    uint16_t stream = data_stream(c, code);
    uint32_t id = after;
    if (shared) {
        TopoTransfer transfer = shard_transfer(c, replicas, params, STRAT_BACKWARD);
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
    code->last_reduce = id;
}
