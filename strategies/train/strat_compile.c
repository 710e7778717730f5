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

#include "sim_time.h"
#include "strat_schedule.h"

#include <string.h>

enum { PIECES_MAX = 8 };

#define NO_OP UINT32_MAX

enum { FORWARD, BACKWARD, DIRECTIONS };

/* One model chunk of one class: its recipes, and the recipes of its pieces. */
typedef struct ChunkCode {
    StratChunk chunk;
    uint32_t block[DIRECTIONS];
    int64_t piece_count;
    uint32_t piece_block[DIRECTIONS][PIECES_MAX];
    double piece_params[PIECES_MAX];
    uint32_t gather[PIECES_MAX]; /* operation that brings the piece's parameters, or NO_OP */
} ChunkCode;

/* What pass one leaves behind of a class for pass two: first and last operation of each task, and
 * the send of its result. */
typedef struct ClassCode {
    uint32_t *first[DIRECTIONS], *last[DIRECTIONS], *send[DIRECTIONS];
    StratPosition position;
    int64_t stage;
    uint16_t stream_send[DIRECTIONS], stream_data;
    uint32_t gang_family, data_family, ends_family;
    ChunkCode *chunks;
} ClassCode;

/* The instances of one rendezvous: the n-th collective operation of every member meet. */
typedef struct Family {
    uint32_t members;
    GArray *groups; /* of uint32_t, made on first use */
} Family;

typedef struct Compiler {
    const StratCosting *costing;
    const StratPlan *plan;
    StratPipeline pipeline;
    StratStep *step;
    SimProgram *program;
    ClassCode *classes;
    GHashTable *families; /* key: sorted classes; value: index + 1 */
    GArray *family;
    GArray *blocks; /* of BlockKey */
    GArray *spans;
    uint16_t label_send[DIRECTIONS], label_task[DIRECTIONS];
} Compiler;

/* A recipe that was compiled before. */
typedef struct BlockKey {
    StratChunk chunk;
    int direction;
    uint32_t block;
} BlockKey;

static bool same_chunk(const StratChunk *a, const StratChunk *b)
{
    return a->layers == b->layers && a->embedding == b->embedding && a->head == b->head &&
           a->receives_forward == b->receives_forward &&
           a->receives_backward == b->receives_backward &&
           a->starts_forward == b->starts_forward && a->starts_backward == b->starts_backward &&
           a->tensor_per_domain == b->tensor_per_domain &&
           a->context_per_domain == b->context_per_domain;
}

static bool add_spans_block(Compiler *c, uint32_t *block, GError **error)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, TRUE, sizeof(SimSegment));
    for (guint i = 0; i < c->spans->len; i++) {
        const StratSpan *span = &g_array_index(c->spans, StratSpan, i);
        SimSegment segment = {.bucket = (uint16_t)span->bucket,
                              .label = sim_program_label(c->program, span->label)};
        if (!sim_time_from_seconds(span->seconds, &segment.duration_ns, error)) {
            g_prefix_error(error, "%s: ", span->label);
            return false;
        }
        g_array_append_val(segments, segment);
    }
    *block = sim_program_add_block(c->program, (const SimSegment *)segments->data, segments->len);
    return true;
}

static bool chunk_block(Compiler *c, const StratChunk *chunk, int direction, uint32_t *block,
                        GError **error)
{
    for (guint i = 0; i < c->blocks->len; i++) {
        const BlockKey *key = &g_array_index(c->blocks, BlockKey, i);
        if (key->direction == direction && same_chunk(&key->chunk, chunk)) {
            *block = key->block;
            return true;
        }
    }
    g_array_set_size(c->spans, 0);
    if (direction == FORWARD)
        strat_cost_forward(c->costing, chunk, c->spans);
    else
        strat_cost_backward(c->costing, chunk, c->spans);
    if (!add_spans_block(c, block, error))
        return false;
    BlockKey key = {*chunk, direction, *block};
    g_array_append_val(c->blocks, key);
    return true;
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
    for (int d = 0; d < DIRECTIONS; d++) {
        if (!chunk_block(c, &out->chunk, d, &out->block[d], error))
            return false;
        for (int64_t i = 0; i < out->piece_count; i++) {
            if (!chunk_block(c, &pieces[i], d, &out->piece_block[d][i], error))
                return false;
        }
    }
    for (int64_t i = 0; i < out->piece_count; i++) {
        out->piece_params[i] = strat_chunk_params(c->costing->model, c->plan, &pieces[i]);
        out->gather[i] = NO_OP;
    }
    return true;
}

static gint compare_u32(gconstpointer a, gconstpointer b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The family of the classes that @ranks fall into; SIM_GROUP_NONE when it is one class alone. */
static uint32_t family_of(Compiler *c, const StratGroup *ranks)
{
    g_autoptr(GArray) classes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (int64_t i = 0; i < ranks->count; i++)
        g_array_append_val(classes,
                           c->step->fold->class_of[ranks->first + i * ranks->stride]);
    g_array_sort(classes, compare_u32);
    g_autoptr(GString) key = g_string_new(NULL);
    uint32_t members = 0;
    for (guint i = 0; i < classes->len; i++) {
        uint32_t class = g_array_index(classes, uint32_t, i);
        if (i > 0 && class == g_array_index(classes, uint32_t, i - 1))
            continue;
        g_string_append_printf(key, "%u ", class);
        members++;
    }
    g_string_append_printf(key, "/%" G_GINT64_FORMAT, ranks->stride);
    if (members <= 1)
        return SIM_GROUP_NONE;
    gpointer known = g_hash_table_lookup(c->families, key->str);
    if (!known) {
        Family family = {members, g_array_new(FALSE, FALSE, sizeof(uint32_t))};
        g_array_append_val(c->family, family);
        known = GUINT_TO_POINTER(c->family->len);
        g_hash_table_insert(c->families, g_strdup(key->str), known);
    }
    return GPOINTER_TO_UINT(known) - 1;
}

/* The group where the members' @nth operations meet. */
static uint32_t group_at(Compiler *c, uint32_t family, uint32_t nth)
{
    if (family == SIM_GROUP_NONE)
        return SIM_GROUP_NONE;
    Family *f = &g_array_index(c->family, Family, family);
    while (f->groups->len <= nth) {
        uint32_t group = sim_program_add_group(c->program, f->members);
        g_array_append_val(f->groups, group);
    }
    return g_array_index(f->groups, uint32_t, nth);
}

static uint32_t transfer_id(Compiler *c, TopoTransfer transfer)
{
    GArray *all = c->step->transfers;
    for (guint i = 0; i < all->len; i++) {
        const TopoTransfer *t = &g_array_index(all, TopoTransfer, i);
        if (t->kind == transfer.kind && t->ranks == transfer.ranks &&
            t->ranks_per_domain == transfer.ranks_per_domain &&
            t->bytes >= transfer.bytes && t->bytes <= transfer.bytes)
            return i;
    }
    g_array_append_val(all, transfer);
    return all->len - 1;
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

static uint32_t add_collective(Compiler *c, uint32_t class, uint16_t stream, uint32_t group,
                               TopoTransfer transfer, const char *label)
{
    SimOp op = {.rank_class = class,
                .group = group,
                .transfer = transfer_id(c, transfer),
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
    int64_t domain = direction == FORWARD ? code->position.send_next_per_domain
                                          : code->position.send_previous_per_domain;
    SimOp op = {.rank_class = class,
                .group = SIM_GROUP_NONE,
                .transfer = transfer_id(c, (TopoTransfer){TOPO_SEND, 2, domain, send_bytes(c),
                                                        c->plan->profiled.send_s}),
                .stream = code->stream_send[direction],
                .bucket = STRAT_BUCKET_PIPELINE_COMM,
                .label = c->label_send[direction],
                .kind = SIM_OP_SEND};
    uint32_t id = sim_program_add_op(c->program, &op);
    if (op.stream != SIM_STREAM_MAIN)
        sim_program_add_dep(c->program, id, after);
    code->send[direction][slot] = id;
}

/* Sharded optimizers gather the parameters at the start of the step, under its first forwards. */
static void add_parameter_gathers(Compiler *c, uint32_t class, uint32_t *nth)
{
    ClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    if (plan->zero_stage == 0 || !plan->overlap_data || plan->data * plan->context == 1)
        return;
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        ChunkCode *chunk = &code->chunks[k];
        for (int64_t i = 0; i < chunk->piece_count; i++) {
            TopoTransfer transfer = {TOPO_ALL_GATHER, plan->data * plan->context,
                                     code->position.data_per_domain, 2.0 * chunk->piece_params[i], 0.0};
            chunk->gather[i] =
                add_collective(c, class, code->stream_data, group_at(c, code->data_family, *nth),
                               transfer, "gather parameters");
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
    TopoTransfer transfer = {plan->zero_stage > 0 ? TOPO_REDUCE_SCATTER : TOPO_ALL_REDUCE,
                             plan->data * plan->context, code->position.data_per_domain,
                             params * topo_dtype_bytes(plan->gradients), 0.0};
    uint32_t id = add_collective(c, class, stream, group_at(c, code->data_family, *nth), transfer,
                                 "reduce gradients");
    ++*nth;
    if (stream != SIM_STREAM_MAIN)
        sim_program_add_dep(c->program, id, after);
}

/* One forward or backward; in pieces where data-parallel traffic hides under it. */
static void add_task(Compiler *c, uint32_t class, const StratTask *task, uint32_t *gang_nth,
                     uint32_t *data_nth)
{
    ClassCode *code = &c->classes[class];
    ChunkCode *chunk = &code->chunks[task->chunk];
    int d = task->backward ? BACKWARD : FORWARD;
    int64_t slot = task->chunk * c->pipeline.microbatches + task->microbatch;
    bool overlap = c->plan->overlap_data && c->plan->data * c->plan->context > 1;
    bool gathers = overlap && !task->backward && task->microbatch == 0 && c->plan->zero_stage > 0;
    bool reduces = overlap && task->backward && task->microbatch == c->pipeline.microbatches - 1;
    int64_t pieces = gathers || reduces ? chunk->piece_count : 1;
    for (int64_t i = 0; i < pieces; i++) {
        int64_t piece = task->backward ? pieces - 1 - i : i;
        uint32_t block = pieces > 1 ? chunk->piece_block[d][piece] : chunk->block[d];
        uint32_t id = add_block_op(c, class, block, group_at(c, code->gang_family, *gang_nth),
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
    TopoTransfer transfer = {TOPO_ALL_REDUCE, 2, code->position.ends_per_domain,
                             model_vocab_shard_params(c->costing->model, plan->tensor) *
                                 topo_dtype_bytes(plan->gradients), 0.0};
    add_collective(c, class, SIM_STREAM_MAIN, group_at(c, code->ends_family, 0), transfer,
                   "reduce tied embedding");
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
    g_array_set_size(c->spans, 0);
    g_array_append_val(c->spans, span);
    if (!add_spans_block(c, &block, error))
        return false;
    add_block_op(c, class, block, SIM_GROUP_NONE, sim_program_label(c->program, "optimizer"));
    if (plan->zero_stage > 0 && !plan->overlap_data && ranks > 1.0) {
        TopoTransfer transfer = {TOPO_ALL_GATHER, plan->data * plan->context,
                                 code->position.data_per_domain, 2.0 * params, 0.0};
        add_collective(c, class, SIM_STREAM_MAIN, group_at(c, code->data_family, *data_nth),
                       transfer, "gather parameters");
        ++*data_nth;
    }
    return true;
}

/* The main stream may not pass the end of the step before its own reductions are done. */
static void wait_for_reductions(Compiler *c, uint32_t class, uint32_t from)
{
    uint32_t end = sim_program_op_count(c->program);
    uint32_t last_main = NO_OP, last_data = NO_OP;
    for (uint32_t i = from; i < end; i++) {
        const SimOp *op = sim_program_op(c->program, i);
        if (op->stream == c->classes[class].stream_data && op->stream != SIM_STREAM_MAIN)
            last_data = i;
    }
    if (last_data == NO_OP)
        return;
    SimOp join = {.rank_class = class,
                  .group = SIM_GROUP_NONE,
                  .block = sim_program_add_block(c->program, NULL, 0),
                  .stream = SIM_STREAM_MAIN,
                  .label = sim_program_label(c->program, "wait for gradients"),
                  .kind = SIM_OP_DELAY};
    last_main = sim_program_add_op(c->program, &join);
    sim_program_add_dep(c->program, last_main, last_data);
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
    code->position = strat_position(c->costing->cluster, c->plan, rank);
    if (c->plan->overlap_pipeline) {
        code->stream_send[FORWARD] = sim_program_add_stream(c->program, class, "send forward");
        code->stream_send[BACKWARD] = sim_program_add_stream(c->program, class, "send backward");
    }
    if (c->plan->overlap_data)
        code->stream_data = sim_program_add_stream(c->program, class, "data parallel");
    StratGroup gang = strat_gang(c->plan, rank), data = strat_data_group(c->plan, rank);
    at.stage = 0;
    other.stage = c->plan->pipeline - 1;
    StratGroup ends = {strat_rank_index(c->plan, at), 1, 2};
    ends.stride = strat_rank_index(c->plan, other) - ends.first;
    code->gang_family = family_of(c, &gang);
    code->data_family = family_of(c, &data);
    code->ends_family = c->plan->pipeline > 1 ? family_of(c, &ends) : SIM_GROUP_NONE;
    for (int d = 0; d < DIRECTIONS; d++) {
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
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        if (!compile_chunk(c, code, k, &code->chunks[k], error))
            return false;
    }
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
    schedule->order(&c->pipeline, code->stage, tasks);
    uint32_t gang_nth = 0, data_nth = 0, from = sim_program_op_count(c->program);
    add_parameter_gathers(c, class, &data_nth);
    for (guint i = 0; i < tasks->len; i++)
        add_task(c, class, &g_array_index(tasks, StratTask, i), &gang_nth, &data_nth);
    if (c->plan->overlap_data)
        wait_for_reductions(c, class, from);
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
    for (int d = 0; d < DIRECTIONS; d++) {
        StratRank from = at;
        from.stage = (at.stage + (d == FORWARD ? p - 1 : 1)) % p;
        const ClassCode *source = &c->classes[fold->class_of[strat_rank_index(c->plan, from)]];
        for (int64_t k = 0; k < c->pipeline.chunks; k++) {
            int64_t index = k * p + at.stage + (d == FORWARD ? -1 : 1);
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
        for (int d = 0; d < DIRECTIONS; d++) {
            g_free(c->classes[i].first[d]);
            g_free(c->classes[i].last[d]);
            g_free(c->classes[i].send[d]);
        }
        g_free(c->classes[i].chunks);
    }
    for (guint i = 0; i < c->family->len; i++)
        g_array_unref(g_array_index(c->family, Family, i).groups);
    g_free(c->classes);
    g_hash_table_unref(c->families);
    g_array_unref(c->family);
    g_array_unref(c->blocks);
    g_array_unref(c->spans);
}

StratStep *strat_compile(const StratCosting *costing, bool fold, GError **error)
{
    g_autoptr(StratStep) step = g_new0(StratStep, 1);
    const StratPlan *plan = costing->plan;
    step->program = sim_program_new();
    step->transfers = g_array_new(FALSE, TRUE, sizeof(TopoTransfer));
    step->fold = strat_fold_new(costing->cluster, plan, fold);
    name_buckets(step->program);
    Compiler c = {
        .costing = costing,
        .plan = plan,
        .pipeline = {plan->pipeline, plan->virtual_stages,
                     plan->global_batch / (plan->data * plan->micro_batch)},
        .step = step,
        .program = step->program,
        .classes = g_new0(ClassCode, step->fold->classes),
        .families = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .family = g_array_new(FALSE, FALSE, sizeof(Family)),
        .blocks = g_array_new(FALSE, FALSE, sizeof(BlockKey)),
        .spans = g_array_new(FALSE, FALSE, sizeof(StratSpan)),
    };
    c.label_send[FORWARD] = sim_program_label(c.program, "send activation");
    c.label_send[BACKWARD] = sim_program_label(c.program, "send gradient");
    c.label_task[FORWARD] = sim_program_label(c.program, "forward");
    c.label_task[BACKWARD] = sim_program_label(c.program, "backward");
    bool compiled = compile_all(&c, error);
    compiler_clear(&c);
    return compiled ? g_steal_pointer(&step) : NULL;
}

void strat_step_free(StratStep *step)
{
    if (!step)
        return;
    sim_program_free(step->program);
    g_array_unref(step->transfers);
    strat_fold_free(step->fold);
    g_free(step);
}
