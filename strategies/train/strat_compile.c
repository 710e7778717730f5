/* Compiles a training plan into a Program.
 *
 * Every class runs the tasks of its stage in the order of the schedule on its main stream. A
 * forward waits for the activation that the previous chunk's stage sent, a backward for the
 * gradient. Sends stand on the main stream (the stage waits for its own send) or, overlapped, on
 * streams of their own. The ranks that share a microbatch (tensor x context) run in lockstep: a
 * gang. Then gradients are reduced over the data group, tied embeddings over the pipeline's ends,
 * and the optimizer runs.
 *
 * With overlap, the last microbatch's backward (and under ZeRO-1 the first one's forward) is cut
 * into pieces of a few layers; each piece's gradients are reduced as soon as they are final, and
 * each piece's parameters are gathered before its first use: the buckets of Megatron-LM's
 * distributed optimizer and of PyTorch DDP (Li 2020, section 3.2.3). A step then begins with the
 * gather that the previous step's optimizer started.
 *
 * Left out: the norm of the gradients over all ranks is priced but does not hold a stage back. */
#include "strat_compile.h"

#include "strat_blocks.h"
#include "strat_rendezvous.h"
#include "strat_schedule.h"

enum { PIECES_MAX = 8 };

#define NO_OP UINT32_MAX

/* One model chunk of one class: its recipes, and the recipes of its pieces. */
typedef struct ChunkCode {
    StratChunk chunk;
    uint32_t block[STRAT_DIRECTIONS];
    int64_t piece_count;
    uint32_t piece_block[STRAT_DIRECTIONS][PIECES_MAX];
    double piece_params[PIECES_MAX];
    uint32_t gather[PIECES_MAX]; /* operation that brings the piece's parameters, or NO_OP */
} ChunkCode;

/* What pass one leaves behind of a class for pass two: first and last operation of each task, and
 * the send of its result. */
typedef struct ClassCode {
    uint32_t *first[STRAT_DIRECTIONS], *last[STRAT_DIRECTIONS], *send[STRAT_DIRECTIONS];
    StratPosition position;
    int64_t stage;
    uint16_t stream_send[STRAT_DIRECTIONS], stream_data;
    uint32_t send_transfer[STRAT_DIRECTIONS];
    StratFamily gang_family, data_family, ends_family;
    uint32_t last_reduce; /* the last reduction of gradients, or NO_OP */
    ChunkCode *chunks;
} ClassCode;

typedef struct Compiler {
    const StratCosting *costing;
    const StratPlan *plan;
    StratPipeline pipeline;
    StratStep *step;
    SimProgram *program;
    ClassCode *classes;
    StratBlocks *blocks;
    StratRendezvous *rendezvous;
    uint16_t label_send[STRAT_DIRECTIONS], label_task[STRAT_DIRECTIONS];
} Compiler;

/* Gradients (or, sharded, parameters) of @params that the data group moves, as one transfer. */
static TopoTransfer data_transfer(const Compiler *c, const ClassCode *code, double params,
                                  int direction)
{
    const StratPlan *plan = c->plan;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = plan->data * plan->context,
                             .ranks_per_domain = code->position.data_per_domain,
                             .bytes = params * topo_dtype_bytes(plan->gradients)};
    if (direction == STRAT_FORWARD) {
        transfer.op = TOPO_OP_ALL_GATHER;
        transfer.bytes = 2.0 * params;
    } else if (plan->zero_stage > 0) {
        transfer.op = TOPO_OP_REDUCE_SCATTER;
    }
    return transfer;
}

static bool compile_chunk(Compiler *c, const ClassCode *code, int64_t index, ChunkCode *out,
                          GError **error)
{
    StratChunk pieces[PIECES_MAX];
    out->chunk = strat_chunk_at(c->costing->model, c->plan, code->stage, index);
    out->chunk.tensor_per_domain = code->position.tensor_per_domain;
    out->chunk.context_per_domain = code->position.context_per_domain;
    bool cut = c->plan->overlap_data && c->plan->data * c->plan->context > 1 &&
               c->plan->profiled.forward_s <= 0.0;
    out->piece_count = strat_chunk_split(&out->chunk, cut ? PIECES_MAX : 1, pieces);
    for (int64_t i = 0; i < out->piece_count; i++) {
        out->piece_params[i] = strat_chunk_params(c->costing->model, c->plan, &pieces[i]);
        out->gather[i] = NO_OP;
    }
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        if (!strat_blocks_get(c->blocks, &out->chunk, d, &out->block[d], error))
            return false;
        for (int64_t i = 0; i < out->piece_count; i++) {
            if (!strat_blocks_get(c->blocks, &pieces[i], d, &out->piece_block[d][i], error))
                return false;
        }
    }
    return true;
}

static uint32_t add_block_op(Compiler *c, uint32_t class, uint32_t block, uint32_t group,
                             uint16_t label)
{
    SimOp op = {.rank_class = class,
                .group = group,
                .block = block,
                .stream = SIM_STREAM_MAIN,
                .label = label,
                .kind = SIM_OP_COMPUTE};
    return sim_program_add_op(c->program, &op);
}

/* The owner's @nth meeting, in which it runs @transfer. */
static uint32_t add_collective(Compiler *c, const StratOwner *owner, uint16_t stream, uint32_t nth,
                               const TopoTransfer *transfer, const char *label)
{
    SimOp op = {.rank_class = owner->rank_class,
                .group = strat_rendezvous_at(c->rendezvous, owner->family, nth),
                .transfer = strat_transfers_number(c->step->transfers, transfer, owner),
                .stream = stream,
                .bucket = STRAT_BUCKET_DATA_COMM,
                .label = sim_program_label(c->program, label),
                .kind = SIM_OP_COLLECTIVE};
    return sim_program_add_op(c->program, &op);
}

/* Bytes of one activation (or gradient) that one rank passes to its neighbour stage: each rank
 * sends its own share of the tensor group's. */
static double send_bytes(const Compiler *c)
{
    const StratPlan *plan = c->plan;
    double tokens = (double)(plan->micro_batch * plan->sequence_length / plan->context);
    return 2.0 * tokens * (double)c->costing->model->hidden / (double)plan->tensor;
}

static void add_send(Compiler *c, uint32_t class, int direction, int64_t slot, uint32_t after)
{
    ClassCode *code = &c->classes[class];
    SimOp op = {.rank_class = class,
                .group = SIM_GROUP_NONE,
                .transfer = code->send_transfer[direction],
                .stream = code->stream_send[direction],
                .bucket = STRAT_BUCKET_PIPELINE_COMM,
                .label = c->label_send[direction],
                .kind = SIM_OP_SEND};
    uint32_t id = sim_program_add_op(c->program, &op);
    if (op.stream != SIM_STREAM_MAIN)
        sim_program_add_dep(c->program, id, after);
    code->send[direction][slot] = id;
}

/* Numbers the sends of a class once: they are all alike. */
static void number_sends(Compiler *c, uint32_t class)
{
    ClassCode *code = &c->classes[class];
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        bool forward = d == STRAT_FORWARD;
        StratOwner owner = {class, SIM_GROUP_NONE, forward ? STRAT_ROLE_NEXT : STRAT_ROLE_PREVIOUS};
        TopoTransfer transfer = {.op = TOPO_OP_SEND,
                                 .ranks = 2,
                                 .ranks_per_domain = forward
                                                         ? code->position.send_next_per_domain
                                                         : code->position.send_previous_per_domain,
                                 .bytes = send_bytes(c),
                                 .measured_s = c->plan->profiled.send_s};
        code->send_transfer[d] = strat_transfers_number(c->step->transfers, &transfer, &owner);
    }
}

/* Sharded optimizers gather the parameters at the start of the step, under its first forwards. */
static void add_parameter_gathers(Compiler *c, uint32_t class, uint32_t *nth)
{
    ClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    if (plan->zero_stage == 0 || !plan->overlap_data || plan->data * plan->context == 1)
        return;
    StratOwner owner = {class, code->data_family, STRAT_ROLE_DATA};
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        ChunkCode *chunk = &code->chunks[k];
        for (int64_t i = 0; i < chunk->piece_count; i++) {
            TopoTransfer transfer = data_transfer(c, code, chunk->piece_params[i], STRAT_FORWARD);
            chunk->gather[i] =
                add_collective(c, &owner, code->stream_data, *nth, &transfer, "gather parameters");
            ++*nth;
        }
    }
}

static void add_gradient_reduce(Compiler *c, uint32_t class, double params, uint16_t stream,
                                uint32_t after, uint32_t *nth)
{
    ClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    if (plan->data * plan->context == 1 || plan->optimizer == STRAT_OPTIMIZER_NONE)
        return;
    TopoTransfer transfer = data_transfer(c, code, params, STRAT_BACKWARD);
    StratOwner owner = {class, code->data_family, STRAT_ROLE_DATA};
    uint32_t id = add_collective(c, &owner, stream, *nth, &transfer, "reduce gradients");
    ++*nth;
    if (stream != SIM_STREAM_MAIN)
        sim_program_add_dep(c->program, id, after);
    code->last_reduce = id;
}

/* One forward or backward; in pieces where data-parallel traffic hides under it. */
static void add_task(Compiler *c, uint32_t class, const StratTask *task, uint32_t *gang_nth,
                     uint32_t *data_nth)
{
    ClassCode *code = &c->classes[class];
    ChunkCode *chunk = &code->chunks[task->chunk];
    int d = task->backward ? STRAT_BACKWARD : STRAT_FORWARD;
    int64_t slot = task->chunk * c->pipeline.microbatches + task->microbatch;
    bool overlap = c->plan->overlap_data && c->plan->data * c->plan->context > 1;
    bool gathers = overlap && !task->backward && task->microbatch == 0 && c->plan->zero_stage > 0;
    bool reduces = overlap && task->backward && task->microbatch == c->pipeline.microbatches - 1;
    int64_t pieces = gathers || reduces ? chunk->piece_count : 1;
    for (int64_t i = 0; i < pieces; i++) {
        int64_t piece = task->backward ? pieces - 1 - i : i;
        uint32_t block = pieces > 1 ? chunk->piece_block[d][piece] : chunk->block[d];
        uint32_t id = add_block_op(c, class, block,
                                   strat_rendezvous_at(c->rendezvous, code->gang_family, *gang_nth),
                                   c->label_task[d]);
        ++*gang_nth;
        if (gathers)
            sim_program_add_dep(c->program, id, chunk->gather[piece]);
        if (reduces)
            add_gradient_reduce(c, class, chunk->piece_params[piece], code->stream_data, id,
                                data_nth);
        if (i == 0)
            code->first[d][slot] = id;
        code->last[d][slot] = id;
    }
    if (task->backward ? chunk->chunk.receives_forward : chunk->chunk.receives_backward)
        add_send(c, class, d, slot, code->last[d][slot]);
}

static double class_params(const Compiler *c, const ClassCode *code)
{
    double params = 0.0;
    for (int64_t k = 0; k < c->pipeline.chunks; k++)
        params += strat_chunk_params(c->costing->model, c->plan, &code->chunks[k].chunk);
    return params;
}

/* A tied embedding on both ends of a pipeline has two gradients to add. */
static void add_tied_reduce(Compiler *c, uint32_t class)
{
    const ClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    bool end = code->stage == 0 || code->stage == plan->pipeline - 1;
    if (!c->costing->model->tied_embeddings || plan->pipeline == 1 || !end ||
        c->costing->model->vocab == 0 || plan->profiled.forward_s > 0.0)
        return;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = 2,
                             .ranks_per_domain = code->position.ends_per_domain,
                             .bytes = model_vocab_shard_params(c->costing->model, plan->tensor) *
                                      topo_dtype_bytes(plan->gradients)};
    StratOwner owner = {class, code->ends_family, STRAT_ROLE_ENDS};
    add_collective(c, &owner, SIM_STREAM_MAIN, 0, &transfer, "reduce tied embedding");
}

static bool add_optimizer(Compiler *c, uint32_t class, uint32_t *data_nth, GError **error)
{
    ClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    double params = class_params(c, code);
    double ranks = (double)(plan->data * plan->context);
    double updated = plan->zero_stage > 0 ? params / ranks : params;
    double seconds = strat_cost_optimizer_s(c->costing, params, updated);
    if (seconds <= 0.0)
        return true;
    StratSpan span = {seconds, STRAT_BUCKET_OPTIMIZER, "optimizer"};
    uint32_t block;
    if (!strat_blocks_span(c->blocks, &span, &block, error))
        return false;
    add_block_op(c, class, block, SIM_GROUP_NONE, sim_program_label(c->program, "optimizer"));
    if (plan->zero_stage > 0 && !plan->overlap_data && ranks > 1.0) {
        TopoTransfer transfer = data_transfer(c, code, params, STRAT_FORWARD);
        StratOwner owner = {class, code->data_family, STRAT_ROLE_DATA};
        add_collective(c, &owner, SIM_STREAM_MAIN, *data_nth, &transfer, "gather parameters");
        ++*data_nth;
    }
    return true;
}

/* The main stream may not pass the end of the step before its own reductions are done. */
static void wait_for_reductions(Compiler *c, uint32_t class)
{
    const ClassCode *code = &c->classes[class];
    if (code->last_reduce == NO_OP)
        return;
    SimOp join = {.rank_class = class,
                  .group = SIM_GROUP_NONE,
                  .block = sim_program_add_block(c->program, NULL, 0),
                  .stream = SIM_STREAM_MAIN,
                  .label = sim_program_label(c->program, "wait for gradients"),
                  .kind = SIM_OP_DELAY};
    sim_program_add_dep(c->program, sim_program_add_op(c->program, &join), code->last_reduce);
}

static void open_class(Compiler *c, uint32_t class)
{
    ClassCode *code = &c->classes[class];
    const StratFold *fold = c->step->fold;
    int64_t rank = fold->representative[class];
    StratRank at = strat_rank_at(c->plan, rank), other = at;
    size_t slots = (size_t)(c->pipeline.chunks * c->pipeline.microbatches);
    g_autofree char *name = g_strdup_printf("stage %d rank %d", (int)at.stage, (int)rank);
    uint32_t id = sim_program_add_class(c->program, name, fold->multiplicity[class]);
    g_assert(id == class);
    code->stage = at.stage;
    code->last_reduce = NO_OP;
    code->position = strat_position(c->costing->cluster, c->plan, rank);
    if (c->plan->overlap_pipeline) {
        code->stream_send[STRAT_FORWARD] =
            sim_program_add_stream(c->program, class, "send forward");
        code->stream_send[STRAT_BACKWARD] =
            sim_program_add_stream(c->program, class, "send backward");
    }
    if (c->plan->overlap_data)
        code->stream_data = sim_program_add_stream(c->program, class, "data parallel");
    StratGroup gang = strat_gang(c->plan, rank), data = strat_data_group(c->plan, rank);
    at.stage = 0;
    other.stage = c->plan->pipeline - 1;
    StratGroup ends = {strat_rank_index(c->plan, at), 1, 2};
    ends.stride = strat_rank_index(c->plan, other) - ends.first;
    code->gang_family = strat_rendezvous_family(c->rendezvous, &gang, "gang");
    code->data_family = strat_rendezvous_family(c->rendezvous, &data, "data");
    code->ends_family = c->plan->pipeline > 1
                            ? strat_rendezvous_family(c->rendezvous, &ends, "ends")
                            : SIM_GROUP_NONE;
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        code->first[d] = g_new(uint32_t, slots);
        code->last[d] = g_new(uint32_t, slots);
        code->send[d] = g_new(uint32_t, slots);
    }
    code->chunks = g_new0(ChunkCode, c->pipeline.chunks);
}

static bool compile_class(Compiler *c, uint32_t class, const StratSchedule *schedule,
                          GError **error)
{
    ClassCode *code = &c->classes[class];
    open_class(c, class);
    number_sends(c, class);
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        if (!compile_chunk(c, code, k, &code->chunks[k], error))
            return false;
    }
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
    schedule->order(&c->pipeline, code->stage, tasks);
    uint32_t gang_nth = 0, data_nth = 0;
    add_parameter_gathers(c, class, &data_nth);
    for (guint i = 0; i < tasks->len; i++)
        add_task(c, class, &g_array_index(tasks, StratTask, i), &gang_nth, &data_nth);
    if (c->plan->overlap_data)
        wait_for_reductions(c, class);
    else
        add_gradient_reduce(c, class, class_params(c, code), SIM_STREAM_MAIN, 0, &data_nth);
    add_tied_reduce(c, class);
    return add_optimizer(c, class, &data_nth, error);
}

/* Pass two: tasks wait for what the neighbouring chunk's stage sent. */
static void connect_class(Compiler *c, uint32_t class)
{
    const ClassCode *code = &c->classes[class];
    const StratFold *fold = c->step->fold;
    StratRank at = strat_rank_at(c->plan, fold->representative[class]);
    int64_t m = c->pipeline.microbatches, p = c->plan->pipeline;
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        StratRank from = at;
        from.stage = (at.stage + (d == STRAT_FORWARD ? p - 1 : 1)) % p;
        const ClassCode *source = &c->classes[fold->class_of[strat_rank_index(c->plan, from)]];
        for (int64_t k = 0; k < c->pipeline.chunks; k++) {
            int64_t index = k * p + at.stage + (d == STRAT_FORWARD ? -1 : 1);
            if (index < 0 || index >= p * c->pipeline.chunks)
                continue;
            for (int64_t i = 0; i < m; i++)
                sim_program_add_dep(c->program, code->first[d][k * m + i],
                                    source->send[d][index / p * m + i]);
        }
    }
}

static bool compile_all(Compiler *c, GError **error)
{
    const StratSchedule *schedule = strat_schedule_by_name(c->plan->schedule, error);
    if (!schedule)
        return false;
    int64_t classes = c->step->fold->classes;
    uint64_t tasks = (uint64_t)classes * (uint64_t)(c->pipeline.chunks * c->pipeline.microbatches);
    sim_program_reserve(c->program, (uint32_t)MIN(4 * tasks + 64, 1u << 30),
                        (uint32_t)MIN(4 * tasks + 64, 1u << 30));
    for (uint32_t i = 0; i < classes; i++) {
        if (!compile_class(c, i, schedule, error))
            return false;
    }
    for (uint32_t i = 0; i < classes; i++)
        connect_class(c, i);
    return sim_program_seal(c->program, error);
}

static void name_buckets(SimProgram *program)
{
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        uint16_t id = sim_program_bucket(program, strat_bucket_key((StratBucket)b));
        g_assert(id == b);
    }
    sim_program_set_wait_bucket(program, STRAT_BUCKET_BUBBLE);
}

static void compiler_clear(Compiler *c)
{
    for (int64_t i = 0; i < c->step->fold->classes; i++) {
        for (int d = 0; d < STRAT_DIRECTIONS; d++) {
            g_free(c->classes[i].first[d]);
            g_free(c->classes[i].last[d]);
            g_free(c->classes[i].send[d]);
        }
        g_free(c->classes[i].chunks);
    }
    g_free(c->classes);
    strat_blocks_free(c->blocks);
    strat_rendezvous_free(c->rendezvous);
}

StratStep *strat_compile(const StratCosting *costing, bool fold, GError **error)
{
    g_autoptr(StratStep) step = g_new0(StratStep, 1);
    const StratPlan *plan = costing->plan;
    step->program = sim_program_new();
    step->fold = strat_fold_new(costing->cluster, plan, fold);
    step->transfers = strat_transfers_new(plan, step->fold, strat_costing_reads_fabric(costing));
    name_buckets(step->program);
    Compiler c = {
        .costing = costing,
        .plan = plan,
        .pipeline = {plan->pipeline, plan->virtual_stages,
                     plan->global_batch / (plan->data * plan->micro_batch)},
        .step = step,
        .program = step->program,
        .classes = g_new0(ClassCode, step->fold->classes),
        .blocks = strat_blocks_new(step->program, costing),
        .rendezvous = strat_rendezvous_new(step->program, step->fold),
    };
    c.label_send[STRAT_FORWARD] = sim_program_label(c.program, "send activation");
    c.label_send[STRAT_BACKWARD] = sim_program_label(c.program, "send gradient");
    c.label_task[STRAT_FORWARD] = sim_program_label(c.program, "forward");
    c.label_task[STRAT_BACKWARD] = sim_program_label(c.program, "backward");
    bool compiled = compile_all(&c, error);
    compiler_clear(&c);
    return compiled ? g_steal_pointer(&step) : NULL;
}

void strat_step_free(StratStep *step)
{
    if (!step)
        return;
    sim_program_free(step->program);
    strat_transfers_free(step->transfers);
    strat_fold_free(step->fold);
    g_free(step);
}
