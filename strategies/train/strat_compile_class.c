/* The operations of one class of ranks in one step.
 *
 * Tasks run in the order of the schedule on the main stream, whole or, where data-parallel traffic
 * hides under them, in pieces; sends, gathers and reductions stand between them or on streams of
 * their own (see strat_compile.c for the whole). */
#include "strat_compile_private.h"

/* @fraction of a weak NIC's bandwidth, where the price is to know it: on a fabric links do. */
static double priced(const StratCompiler *c, double fraction)
{
    return strat_costing_reads_fabric(c->costing) ? 0.0 : fraction;
}

/* Gradients (or, sharded, parameters) of @params that @replicas move, as one transfer. */
static TopoTransfer data_transfer(const StratCompiler *c, const StratReplicas *replicas,
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
        transfer.op = TOPO_OP_REDUCE_SCATTER;
    }
    return transfer;
}

/* Whether any replicas of @code move parameters under compute. */
static bool hides_data(const StratCompiler *c, const StratClassCode *code)
{
    return c->plan->overlap_data && (code->replicas[STRAT_PARAMS_SHARED].ranks > 1 ||
                                     code->replicas[STRAT_PARAMS_EXPERTS].ranks > 1);
}

static bool compile_chunk(StratCompiler *c, const StratClassCode *code, int64_t index,
                          StratChunkCode *out, GError **error)
{
    StratModelChunk *pieces = out->pieces;
    out->chunk = strat_chunk_at(c->costing->model, c->plan, code->stage, index);
    out->chunk.tensor_per_domain = code->position.tensor_per_domain;
    out->chunk.context_per_domain = code->position.context_per_domain;
    out->chunk.clock_fraction = code->position.clock_fraction;
    out->chunk.expert_per_domain = code->position.expert_per_domain;
    out->chunk.expert_nic_fraction = code->position.expert_nic_fraction;
    if (!c->costing->net->shares_links) { /* else traffic beside the blocks meets the weak link */
        out->chunk.tensor_nic_fraction = code->position.tensor_nic_fraction;
        out->chunk.context_nic_fraction = code->position.context_nic_fraction;
    }
    bool cut = hides_data(c, code) && c->plan->profiled.forward_s <= 0.0;
    out->piece_count = strat_chunk_split(&out->chunk, cut ? STRAT_PIECES_MAX : 1, pieces);
    for (int64_t i = 0; i < out->piece_count; i++) {
        const ModelSpec *model = c->costing->model;
        out->piece_params[STRAT_PARAMS_SHARED][i] = strat_chunk_params(model, c->plan, &pieces[i]);
        out->piece_params[STRAT_PARAMS_EXPERTS][i] =
            strat_chunk_expert_params(model, c->plan, &pieces[i]);
        for (int k = 0; k < STRAT_PARAMS_KINDS; k++)
            out->gather[k][i] = STRAT_NO_OP;
    }
    for (int k = 0; k < STRAT_TASK_KINDS; k++) {
        StratTaskKind kind = (StratTaskKind)k;
        bool is_part = kind == STRAT_TASK_INPUT || kind == STRAT_TASK_WEIGHT;
        if (kind != STRAT_TASK_FORWARD && is_part != (c->schedule->plan != NULL))
            continue;
        if (!strat_blocks_get(c->blocks, &out->chunk, kind, &out->block[k], error))
            return false;
        for (int64_t i = 0; i < out->piece_count; i++) {
            if (!strat_blocks_get(c->blocks, &pieces[i], kind, &out->piece_block[k][i], error))
                return false;
        }
    }
    return true;
}

/* The owner's @nth meeting, in which it runs @transfer. */
static uint32_t add_collective(StratCompiler *c, const StratOwner *owner, uint16_t stream,
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

/* Sends chunk @chunk's result on: backwards the other way round, and on the way back of a V too. */
static void add_send(StratCompiler *c, uint32_t class, int64_t chunk, int direction, int64_t slot,
                     uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    bool turns = c->schedule->is_v && chunk % 2 == 1;
    int way = turns ? 1 - direction : direction;
    SimOp op = {.rank_class = c->first_class + class,
                .group = SIM_GROUP_NONE,
                .transfer = code->send_transfer[way],
                .stream = code->stream_send[direction],
                .bucket = STRAT_BUCKET_PIPELINE_COMM,
                .label = c->label_send[direction],
                .kind = SIM_OP_SEND};
    if (op.stream == SIM_STREAM_MAIN) {
        code->send[direction][slot] = strat_compile_main(c, class, op);
        return;
    }
    uint32_t id = sim_program_add_op(c->program, &op);
    strat_compile_after(c, class, id, after);
    code->send[direction][slot] = id;
}

/* Numbers the sends of a class once: they are all alike. */
static void number_sends(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        bool forward = d == STRAT_FORWARD;
        StratOwner owner = {class, SIM_GROUP_NONE, forward ? STRAT_ROLE_NEXT : STRAT_ROLE_PREVIOUS};
        TopoTransfer transfer = {
            .op = TOPO_OP_SEND,
            .ranks = 2,
            .ranks_per_domain = forward ? code->position.send_next_per_domain
                                        : code->position.send_previous_per_domain,
            .bytes = strat_send_bytes(c->costing),
            .nic_fraction = priced(c, forward ? code->position.send_next_nic_fraction
                                              : code->position.send_previous_nic_fraction),
            .measured_s = c->plan->profiled.send_s};
        code->send_transfer[d] = strat_transfers_number(c->transfers, &transfer, &owner);
    }
}

/* Gathers @params of @kind over the ranks that share them; none where there is nothing to do. */
static uint32_t add_parameter_gather(StratCompiler *c, uint32_t class, int kind, double params,
                                     uint16_t stream)
{
    StratReplicas *replicas = &c->classes[class].replicas[kind];
    if (replicas->ranks == 1 || params <= 0.0)
        return STRAT_NO_OP;
    StratOwner owner = {class, replicas->family, replicas->role};
    TopoTransfer transfer = data_transfer(c, replicas, params, STRAT_FORWARD);
    return add_collective(c, &owner, stream, replicas->nth++, &transfer, "gather parameters");
}

/* Sharded optimizers gather the parameters at the start of the step, under its first forwards. */
static void add_parameter_gathers(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    if (c->plan->zero_stage == 0 || !hides_data(c, code))
        return;
    for (int64_t n = 0; n < c->pipeline.chunks * STRAT_PARAMS_KINDS; n++) {
        StratChunkCode *chunk = &code->chunks[n / STRAT_PARAMS_KINDS];
        int kind = (int)(n % STRAT_PARAMS_KINDS);
        for (int64_t i = 0; i < chunk->piece_count; i++) {
            uint32_t id = add_parameter_gather(c, class, kind, chunk->piece_params[kind][i],
                                               code->stream_data);
            chunk->gather[kind][i] = id;
            if (id != STRAT_NO_OP && code->last_main != STRAT_NO_OP)
                sim_program_add_dep(c->program, id, code->last_main);
        }
    }
}

static void add_gradient_reduce(StratCompiler *c, uint32_t class, int kind, double params,
                                uint16_t stream, uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratReplicas *replicas = &code->replicas[kind];
    if (replicas->ranks == 1 || params <= 0.0 || c->plan->optimizer == STRAT_OPTIMIZER_NONE)
        return;
    TopoTransfer transfer = data_transfer(c, replicas, params, STRAT_BACKWARD);
    StratOwner owner = {class, replicas->family, replicas->role};
    uint32_t id = add_collective(c, &owner, stream, replicas->nth++, &transfer, "reduce gradients");
    if (stream != SIM_STREAM_MAIN)
        strat_compile_after(c, class, id, after);
    code->last_reduce = id;
}

/* Whether a task of @kind on the last microbatch leaves gradients final. */
static bool ends_gradients(StratTaskKind kind)
{
    return kind == STRAT_TASK_BACKWARD || kind == STRAT_TASK_WEIGHT;
}

/* One task; in pieces where data-parallel traffic hides under it. */
static void add_task(StratCompiler *c, uint32_t class, const StratTask *task)
{
    StratClassCode *code = &c->classes[class];
    StratChunkCode *chunk = &code->chunks[task->chunk];
    bool forward = task->kind == STRAT_TASK_FORWARD, weight = task->kind == STRAT_TASK_WEIGHT;
    int d = forward ? STRAT_FORWARD : STRAT_BACKWARD;
    int64_t slot = task->chunk * c->pipeline.microbatches + task->microbatch;
    bool overlap = hides_data(c, code);
    bool gathers = overlap && forward && task->microbatch == 0 && c->plan->zero_stage > 0;
    bool reduces =
        overlap && ends_gradients(task->kind) && task->microbatch == c->pipeline.microbatches - 1;
    int64_t pieces = gathers || reduces ? chunk->piece_count : 1;
    for (int64_t i = 0; i < pieces; i++) {
        int64_t piece = forward ? i : pieces - 1 - i;
        uint32_t id =
            strat_compile_block(c, class, task->chunk, pieces > 1 ? piece : -1, task->kind);
        for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
            if (gathers && chunk->gather[k][piece] != STRAT_NO_OP)
                strat_compile_block_waits(c, class, id, chunk->gather[k][piece]);
            if (reduces)
                add_gradient_reduce(c, class, k, chunk->piece_params[k][piece], code->stream_data,
                                    id);
        }
        if (weight)
            continue;
        if (i == 0) {
            code->first[d][slot] = id;
            code->first_beside[d][slot] = (uint8_t)code->pending_count;
        }
        code->last[d][slot] = id;
    }
    if (!weight && (forward ? chunk->chunk.receives_backward : chunk->chunk.receives_forward))
        add_send(c, class, task->chunk, d, slot, code->last[d][slot]);
}

static double class_params(const StratCompiler *c, const StratClassCode *code, int kind)
{
    double params = 0.0;
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        const StratModelChunk *chunk = &code->chunks[k].chunk;
        params += kind == STRAT_PARAMS_SHARED
                      ? strat_chunk_params(c->costing->model, c->plan, chunk)
                      : strat_chunk_expert_params(c->costing->model, c->plan, chunk);
    }
    return params;
}

/* A tied embedding on both ends of a pipeline has two gradients to add. */
static void add_tied_reduce(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    bool end = code->stage == 0 || code->stage == plan->pipeline - 1;
    if (!c->costing->model->tied_embeddings || strat_ends_meet(plan) || !end ||
        c->costing->model->vocab == 0 || plan->profiled.forward_s > 0.0)
        return;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = 2,
                             .ranks_per_domain = code->position.ends_per_domain,
                             .nic_fraction = priced(c, code->position.ends_nic_fraction),
                             .bytes = model_vocab_shard_params(c->costing->model, plan->tensor) *
                                      topo_dtype_bytes(plan->gradients)};
    StratOwner owner = {class, code->ends_family, STRAT_ROLE_ENDS};
    add_collective(c, &owner, SIM_STREAM_MAIN, code->ends_nth++, &transfer,
                   "reduce tied embedding");
}

static bool add_optimizer(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    double params = 0.0, updated = 0.0;
    for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
        double held = class_params(c, code, k);
        params += held;
        updated += plan->zero_stage > 0 ? held / (double)code->replicas[k].ranks : held;
    }
    double seconds = strat_cost_optimizer_s(c->costing, params, updated);
    if (seconds <= 0.0)
        return true;
    StratSpan span = {.seconds = seconds, .bucket = STRAT_BUCKET_OPTIMIZER, .label = "optimizer"};
    uint32_t block;
    if (!strat_blocks_span(c->blocks, &span, &block, error))
        return false;
    SimOp op = {.group = SIM_GROUP_NONE,
                .block = block,
                .label = sim_program_label(c->program, "optimizer"),
                .kind = SIM_OP_COMPUTE};
    strat_compile_main(c, class, op);
    for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
        if (plan->zero_stage > 0 && !plan->overlap_data)
            add_parameter_gather(c, class, k, class_params(c, code, k), SIM_STREAM_MAIN);
    }
    return true;
}

/* The main stream may not pass the end of the step before its own reductions are done. */
static void wait_for_reductions(StratCompiler *c, uint32_t class)
{
    const StratClassCode *code = &c->classes[class];
    if (code->last_reduce == STRAT_NO_OP)
        return;
    SimOp join = {.group = SIM_GROUP_NONE,
                  .block = sim_program_add_block(c->program, NULL, 0),
                  .label = sim_program_label(c->program, "wait for gradients"),
                  .kind = SIM_OP_DELAY};
    sim_program_add_dep(c->program, strat_compile_main(c, class, join), code->last_reduce);
}

static void open_streams(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    uint32_t id = c->first_class + class;
    if (c->plan->overlap_pipeline) {
        code->stream_send[STRAT_FORWARD] = sim_program_add_stream(c->program, id, "send forward");
        code->stream_send[STRAT_BACKWARD] = sim_program_add_stream(c->program, id, "send backward");
    }
    if (c->plan->overlap_data)
        code->stream_data = sim_program_add_stream(c->program, id, "data parallel");
}

static void open_replicas(StratCompiler *c, StratClassCode *code, int64_t rank)
{
    StratGroup data = strat_data_group(c->plan, rank);
    code->replicas[STRAT_PARAMS_SHARED] = (StratReplicas){
        .family = strat_rendezvous_family(c->rendezvous, &data, "data"),
        .role = STRAT_ROLE_DATA,
        .ranks = data.count,
        .per_domain = code->position.data_per_domain,
        .nic_fraction = priced(c, code->position.data_nic_fraction),
    };
    StratReplicas *experts = &code->replicas[STRAT_PARAMS_EXPERTS];
    experts->ranks = 1;
    if (c->plan->expert == 0)
        return;
    StratGroup copies = strat_expert_data_group(c->plan, rank);
    *experts = (StratReplicas){
        .family = strat_rendezvous_family(c->rendezvous, &copies, "copies of experts"),
        .role = STRAT_ROLE_EXPERT_DATA,
        .ranks = copies.count,
        .per_domain = code->position.expert_data_per_domain,
        .nic_fraction = priced(c, code->position.expert_data_nic_fraction),
    };
}

static void open_families(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    int64_t rank = c->fold->representative[class];
    StratRank at = strat_rank_at(c->plan, rank), other = at;
    StratGroup gang = strat_gang(c->plan, rank);
    at.stage = 0;
    other.stage = c->plan->pipeline - 1;
    StratGroup ends = {strat_rank_index(c->plan, at), 1, 2};
    ends.stride = strat_rank_index(c->plan, other) - ends.first;
    code->gang_family = strat_rendezvous_family(c->rendezvous, &gang, "gang");
    open_replicas(c, code, rank);
    code->ends_family = c->plan->pipeline > 1
                            ? strat_rendezvous_family(c->rendezvous, &ends, "ends")
                            : SIM_GROUP_NONE;
}

bool strat_compile_open(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    int64_t rank = c->fold->representative[class];
    size_t slots = (size_t)(c->pipeline.chunks * c->pipeline.microbatches);
    code->stage = strat_rank_at(c->plan, rank).stage;
    g_autofree char *name =
        g_strdup_printf("%sstage %d rank %d", c->prefix, (int)code->stage, (int)rank);
    uint32_t id = sim_program_add_class(c->program, name, c->fold->multiplicity[class]);
    g_assert(id == c->first_class + class);
    code->last_main = code->last_reduce = STRAT_NO_OP;
    StratPlaces places = strat_places_of(c->costing);
    code->position = strat_position(&places, c->plan, rank);
    open_streams(c, class);
    open_families(c, class);
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        code->first[d] = g_new(uint32_t, slots);
        code->first_beside[d] = g_new0(uint8_t, slots);
        code->last[d] = g_new(uint32_t, slots);
        code->send[d] = g_new(uint32_t, slots);
    }
    code->chunks = g_new0(StratChunkCode, c->pipeline.chunks);
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        if (!compile_chunk(c, code, k, &code->chunks[k], error))
            return false;
    }
    return true;
}

void strat_compile_close(StratClassCode *code)
{
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        g_free(code->first[d]);
        g_free(code->first_beside[d]);
        g_free(code->last[d]);
        g_free(code->send[d]);
    }
    if (code->peers)
        g_array_unref(code->peers);
    g_free(code->chunks);
}

bool strat_compile_step(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    number_sends(c, class);
    code->last_reduce = STRAT_NO_OP;
    const GArray *tasks = c->orders->pdata[code->stage];
    add_parameter_gathers(c, class);
    for (guint i = 0; i < tasks->len; i++)
        add_task(c, class, &g_array_index(tasks, StratTask, i));
    if (c->plan->overlap_data)
        wait_for_reductions(c, class);
    for (int k = 0; k < STRAT_PARAMS_KINDS && !c->plan->overlap_data; k++)
        add_gradient_reduce(c, class, k, class_params(c, code, k), SIM_STREAM_MAIN, 0);
    add_tied_reduce(c, class);
    return add_optimizer(c, class, error);
}
