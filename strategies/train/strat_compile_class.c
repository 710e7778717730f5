/* The operations of one class of ranks in one step.
 *
 * Tasks run in the order of the schedule on the main stream, whole or, where data-parallel traffic
 * hides under them, in pieces; sends, gathers and reductions stand between them or on streams of
 * their own (see strat_compile.c for the whole). */
#include "strat_compile_private.h"

#include "strat_agree.h"
#include "strat_expert.h"

static double chunk_trained(const StratCompiler *c, const StratModelChunk *chunk, int kind)
{
    return kind == STRAT_PARAMS_SHARED
               ? strat_chunk_trained_params(c->costing->model, c->plan, chunk)
               : strat_chunk_expert_params(c->costing->model, c->plan, chunk);
}

static double chunk_params(const StratCompiler *c, const StratModelChunk *chunk, int kind)
{
    return kind == STRAT_PARAMS_SHARED
               ? strat_chunk_params(c->costing->model, c->plan, chunk)
               : strat_chunk_expert_params(c->costing->model, c->plan, chunk);
}

/* Cuts a chunk into what its data-parallel traffic comes in; @first: its backward is the first. */
static void cut_chunk(const StratCompiler *c, const StratClassCode *code, bool first,
                      StratChunkCode *out)
{
    bool whole = !strat_compile_is_shared(c, code) || c->plan->profiled.forward_s > 0.0;
    bool units = !whole && strat_compile_has_units(c);
    bool buckets = !whole && c->plan->overlap_data && strat_compile_bucket(c) > 0.0;
    int64_t most = units || buckets                  ? strat_chunk_unit_count(&out->chunk)
                   : !whole && c->plan->overlap_data ? STRAT_PIECES_MAX
                                                     : 1;
    out->pieces = g_new0(StratModelChunk, most);
    out->piece_count = most;
    if (units)
        strat_chunk_units(c->plan, &out->chunk, out->pieces);
    else if (buckets)
        out->piece_count = strat_compile_buckets(c, &out->chunk, first, out->pieces);
    else
        out->piece_count = strat_chunk_split(c->plan, &out->chunk, most, out->pieces);
    size_t count = (size_t)out->piece_count;
    for (int k = 0; k < STRAT_TASK_KINDS; k++) {
        out->piece_block[k] = g_new0(uint32_t, count);
        for (int b = 0; b < STRAT_BESIDE_MAX; b++)
            out->beside[b][k] = g_new0(uint32_t, count + 1);
    }
    for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
        out->piece_params[k] = g_new0(double, count);
        out->piece_trained[k] = g_new0(double, count);
        out->gather[k] = g_new(uint32_t, count);
        for (size_t i = 0; i < count; i++) {
            out->piece_params[k][i] = chunk_params(c, &out->pieces[i], k);
            out->piece_trained[k][i] = chunk_trained(c, &out->pieces[i], k);
            out->gather[k][i] = STRAT_NO_OP;
        }
    }
}

static StratModelChunk model_chunk(const StratCompiler *c, const StratClassCode *code,
                                   int64_t index)
{
    StratModelChunk chunk = strat_chunk_at(c->costing->model, c->plan, code->stage, index);
    chunk.tensor_per_domain = code->position.tensor_per_domain;
    chunk.context_per_domain = code->position.context_per_domain;
    chunk.clock_fraction = code->position.clock_fraction;
    chunk.kind = code->position.kind;
    chunk.expert_per_domain = code->position.expert_per_domain;
    chunk.expert_nic_fraction = code->position.expert_nic_fraction;
    if (!c->costing->net->shares_links) { /* else traffic beside the blocks meets the weak link */
        chunk.tensor_nic_fraction = code->position.tensor_nic_fraction;
        chunk.context_nic_fraction = code->position.context_nic_fraction;
    }
    return chunk;
}

/* @chunk, the @index-th of two, as @kind runs it: in a pair beside the other one's compute. */
static StratModelChunk as_paired(const StratCompiler *c, const StratClassCode *code,
                                 const StratModelChunk *chunk, int64_t index, StratTaskKind kind)
{
    StratModelChunk paired = *chunk;
    bool forward = kind == STRAT_TASK_PAIRED_FORWARD;
    if (!forward && kind != STRAT_TASK_PAIRED_BACKWARD)
        return paired;
    paired.starts_backward = false; /* the pair's exchange came before its forward */
    StratModelChunk other = model_chunk(c, code, 1 - index);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    if (forward)
        strat_cost_backward(c->costing, &other, STRAT_BACKWARD_WHOLE, spans);
    else
        strat_cost_forward(c->costing, &other, spans);
    paired.beside_s = strat_expert_beside_s(spans, 0);
    return paired;
}

static bool compile_chunk(StratCompiler *c, const StratClassCode *code, int64_t index,
                          StratChunkCode *out, GError **error)
{
    out->chunk = model_chunk(c, code, index);
    cut_chunk(c, code, index == c->pipeline.chunks - 1, out);
    for (int k = 0; k < STRAT_TASK_KINDS; k++) {
        StratTaskKind kind = (StratTaskKind)k;
        if (!(c->schedule->kinds & 1U << k))
            continue;
        StratModelChunk chunk = as_paired(c, code, &out->chunk, index, kind);
        if (!strat_blocks_get(c->blocks, &chunk, kind, &out->block[k], error))
            return false;
        for (int64_t i = 0; i < out->piece_count; i++) {
            if (!strat_blocks_get(c->blocks, &out->pieces[i], kind, &out->piece_block[k][i], error))
                return false;
        }
    }
    return true;
}

/* Sends chunk @chunk's result on: backwards the other way round, and where the chunk's microbatches
 * go back too. */
static void add_send(StratCompiler *c, uint32_t class, int64_t chunk, int direction, int64_t slot,
                     uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    bool turns =
        strat_schedule_turns(c->schedule, c->plan->pipeline, (StratSpot){code->stage, chunk});
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

/* A teacher's activation goes on beside the model's. */
static double teacher_bytes(const StratCompiler *c)
{
    const StratPlan *plan = c->plan;
    double tokens = (double)(plan->micro_batch * plan->sequence_length / plan->context);
    return 2.0 * tokens * (double)plan->distill.teacher.hidden / (double)plan->tensor;
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
            .bytes = strat_send_bytes(c->costing) + (forward ? teacher_bytes(c) : 0.0),
            .nic_fraction =
                strat_compile_priced(c, forward ? code->position.send_next_nic_fraction
                                                : code->position.send_previous_nic_fraction),
            .kind = forward ? code->position.send_next_kind : code->position.send_previous_kind,
            .measured_s = c->plan->profiled.send_s};
        code->send_transfer[d] = strat_transfers_number(c->transfers, &transfer, &owner);
    }
}

/* Sharded optimizers gather the parameters at the start of the step, under its first forwards. */
static void add_parameter_gathers(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    if (c->plan->zero_stage == 0 || !c->plan->overlap_data || c->plan->owner_hop_s > 0.0)
        return;
    for (int64_t n = 0; n < c->pipeline.chunks * STRAT_PARAMS_KINDS; n++) {
        StratChunkCode *chunk = &code->chunks[n / STRAT_PARAMS_KINDS];
        StratParamsKind kind = (StratParamsKind)(n % STRAT_PARAMS_KINDS);
        for (int64_t i = 0; i < chunk->piece_count; i++)
            chunk->gather[kind][i] = strat_compile_gather(
                c, class, kind, chunk->piece_trained[kind][i], code->last_main);
    }
}

bool strat_compile_reduces(const StratCompiler *c, const StratClassCode *code,
                           const StratTask *task)
{
    bool every = c->plan->zero_stage > 1 && !c->plan->no_sync && !c->schedule->keeps_chunks;
    bool ends = !strat_task_is_forward(task->kind) && task->kind != STRAT_TASK_INPUT;
    return ends && (every || task->microbatch == code->pipeline.microbatches - 1);
}

static bool is_task(const StratTaskOps *ops, const StratTask *task)
{
    return ops->task.kind == task->kind && ops->task.chunk == task->chunk &&
           ops->task.microbatch == task->microbatch;
}

/* Notes operation @id of @task, where somebody looks at the tasks of its stage. */
static void note_task(StratCompiler *c, const StratClassCode *code, const StratTask *task,
                      uint32_t id)
{
    if (!code->is_shown)
        return;
    StratTaskOps ops = {.task = *task, .stage = code->stage, .first = id, .last = id};
    StratTaskOps *last =
        c->tasks->len > 0 ? &g_array_index(c->tasks, StratTaskOps, c->tasks->len - 1) : NULL;
    if (last && last->stage == ops.stage && is_task(last, task))
        last->last = id;
    else
        g_array_append_val(c->tasks, ops);
}

uint32_t strat_compile_piece(StratCompiler *c, uint32_t class, const StratTask *task, int64_t piece,
                             bool first)
{
    StratClassCode *code = &c->classes[class];
    int d = strat_task_is_forward(task->kind) ? STRAT_FORWARD : STRAT_BACKWARD;
    int64_t slot = task->chunk * code->pipeline.microbatches + task->microbatch;
    uint32_t id = strat_compile_block(c, class, task->chunk, piece, task->kind);
    note_task(c, code, task, id);
    if (task->kind == STRAT_TASK_WEIGHT)
        return id;
    if (first) {
        code->first[d][slot] = id;
        code->first_beside[d][slot] = (uint8_t)code->pending_count;
    }
    code->last[d][slot] = id;
    return id;
}

void strat_compile_result(StratCompiler *c, uint32_t class, const StratTask *task)
{
    const StratClassCode *code = &c->classes[class];
    const StratModelChunk *chunk = &code->chunks[task->chunk].chunk;
    bool forward = strat_task_is_forward(task->kind);
    int d = forward ? STRAT_FORWARD : STRAT_BACKWARD;
    int64_t slot = task->chunk * code->pipeline.microbatches + task->microbatch;
    if (task->kind != STRAT_TASK_WEIGHT &&
        (forward ? chunk->receives_backward : chunk->receives_forward))
        add_send(c, class, task->chunk, d, slot, code->last[d][slot]);
}

/* Weights, not gradients, are exchanged while the step is computed with them. */
static bool gossips(const StratCompiler *c)
{
    const char *name = c->plan->data_parallel.exchange;
    return c->plan->overlap_data && strat_agree_by_name(name, NULL)->kept_weights > 0.0;
}

/* One task; in pieces where data-parallel traffic hides under it. */
static bool add_task(StratCompiler *c, uint32_t class, const StratTask *task, GError **error)
{
    const StratClassCode *code = &c->classes[class];
    const StratChunkCode *chunk = &code->chunks[task->chunk];
    bool forward = strat_task_is_forward(task->kind);
    bool overlap = c->plan->overlap_data && strat_compile_is_shared(c, code);
    bool gathers = overlap && forward && task->microbatch == 0 && c->plan->zero_stage > 0;
    bool every = c->plan->zero_stage > 1 && !c->plan->no_sync;
    bool reduces = (overlap || every) && strat_compile_reduces(c, code, task) && !gossips(c);
    int64_t pieces = gathers || reduces ? chunk->piece_count : 1;
    for (int64_t i = 0; i < pieces; i++) {
        int64_t piece = forward ? i : pieces - 1 - i;
        uint32_t id = strat_compile_piece(c, class, task, pieces > 1 ? piece : -1, i == 0);
        for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
            if (gathers && chunk->gather[k][piece] != STRAT_NO_OP)
                strat_compile_block_waits(c, class, id, chunk->gather[k][piece]);
            if (reduces && !strat_compile_reduce(c, class, (StratParamsKind)k,
                                                 chunk->piece_trained[k][piece], id, error))
                return false;
        }
    }
    strat_compile_result(c, class, task);
    return true;
}

/* A forward of one chunk and a backward of the other as a pair: both inputs are there before, both
 * results after. Neither is the first or the last of its chunk, where parameters and gradients
 * move. */
static void add_pair(StratCompiler *c, uint32_t class, const StratTask *pair)
{
    StratClassCode *code = &c->classes[class];
    int64_t m = code->pipeline.microbatches;
    int64_t ahead = pair[0].chunk * m + pair[0].microbatch;
    int64_t back = pair[1].chunk * m + pair[1].microbatch;
    strat_compile_piece(c, class, &pair[0], -1, true);
    code->first[STRAT_BACKWARD][back] = code->first[STRAT_FORWARD][ahead];
    code->first_beside[STRAT_BACKWARD][back] = code->first_beside[STRAT_FORWARD][ahead];
    code->last[STRAT_FORWARD][ahead] = strat_compile_piece(c, class, &pair[1], -1, false);
    for (int i = 0; i < 2; i++)
        strat_compile_result(c, class, &pair[i]);
}

double strat_compile_trained(const StratCompiler *c, const StratClassCode *code, int kind)
{
    double params = 0.0;
    for (int64_t k = 0; k < c->pipeline.chunks; k++)
        params += chunk_trained(c, &code->chunks[k].chunk, kind);
    return params;
}

bool strat_compile_span(StratCompiler *c, uint32_t class, double seconds, StratBucket bucket,
                        const char *label, GError **error)
{
    if (seconds <= 0.0)
        return true;
    StratSpan span = {.seconds = seconds, .bucket = bucket, .label = label};
    SimOp op = {.group = SIM_GROUP_NONE,
                .label = sim_program_label(c->program, label),
                .kind = SIM_OP_COMPUTE};
    if (!strat_blocks_span(c->blocks, &span, &op.block, error))
        return false;
    strat_compile_main(c, class, op);
    return true;
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

static void open_families(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    int64_t rank = c->fold->representative[class];
    StratRank at = strat_rank_at(c->plan, rank), other = at;
    StratGroup gang = strat_gang(c->plan, rank);
    StratGroup copies = strat_copies_group(c->plan, rank);
    at.stage = 0;
    other.stage = c->plan->pipeline - 1;
    StratGroup ends = {strat_rank_index(c->plan, at), 1, 2};
    ends.stride = strat_rank_index(c->plan, other) - ends.first;
    code->gang_family = strat_rendezvous_family(c->rendezvous, &gang, "gang");
    strat_compile_open_replicas(c, code, rank);
    code->copies_family = strat_rendezvous_family(c->rendezvous, &copies, "copies");
    code->ends_family = c->plan->pipeline > 1
                            ? strat_rendezvous_family(c->rendezvous, &ends, "ends")
                            : SIM_GROUP_NONE;
}

/* The pipeline of @replica; its orders are those of all where it has as many microbatches. */
static void open_pipeline(const StratCompiler *c, StratClassCode *code, int64_t replica)
{
    code->pipeline = c->pipeline;
    if (c->costing->dealt)
        code->pipeline.microbatches = c->costing->dealt[replica];
    code->orders = code->pipeline.microbatches == c->pipeline.microbatches
                       ? g_ptr_array_ref(c->orders)
                       : strat_schedule_orders(c->schedule, &code->pipeline);
}

bool strat_compile_open(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    int64_t rank = c->fold->representative[class];
    StratRank at = strat_rank_at(c->plan, rank);
    open_pipeline(c, code, at.data);
    size_t slots = (size_t)(code->pipeline.chunks * code->pipeline.microbatches);
    code->stage = at.stage;
    code->is_shown = c->tasks && at.tensor + at.context + at.data == 0;
    g_autofree char *name =
        g_strdup_printf("%sstage %d rank %d", c->prefix, (int)code->stage, (int)rank);
    uint32_t id = sim_program_add_class(c->program, name, c->fold->multiplicity[class]);
    g_assert(id == c->first_class + class);
    code->last_main = code->last_reduce = STRAT_NO_OP;
    code->reductions = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    StratPlaces places = strat_places_of(c->costing);
    code->position = strat_position(&places, c->plan, rank);
    open_streams(c, class);
    open_families(c, class);
    strat_compile_open_host(c, class);
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        code->first[d] = g_new(uint32_t, slots);
        code->first_beside[d] = g_new0(uint8_t, slots);
        code->last[d] = g_new(uint32_t, slots);
        code->send[d] = g_new(uint32_t, slots);
    }
    code->chunks = g_new0(StratChunkCode, c->pipeline.chunks);
    code->chunk_count = c->pipeline.chunks;
    for (int64_t k = 0; k < c->pipeline.chunks; k++) {
        if (!compile_chunk(c, code, k, &code->chunks[k], error))
            return false;
    }
    return true;
}

static void chunk_clear(StratChunkCode *chunk)
{
    g_free(chunk->pieces);
    for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
        g_free(chunk->piece_params[k]);
        g_free(chunk->piece_trained[k]);
        g_free(chunk->gather[k]);
    }
    for (int k = 0; k < STRAT_TASK_KINDS; k++) {
        g_free(chunk->piece_block[k]);
        for (int b = 0; b < STRAT_BESIDE_MAX; b++)
            g_free(chunk->beside[b][k]);
    }
}

void strat_compile_close(StratClassCode *code)
{
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        g_free(code->first[d]);
        g_free(code->first_beside[d]);
        g_free(code->last[d]);
        g_free(code->send[d]);
    }
    if (code->orders)
        g_ptr_array_unref(code->orders);
    if (code->peers)
        g_array_unref(code->peers);
    if (code->reductions)
        g_array_unref(code->reductions);
    for (int64_t k = 0; code->chunks && k < code->chunk_count; k++)
        chunk_clear(&code->chunks[k]);
    g_free(code->chunks);
}

/* All tasks of the step, with the traffic that goes along. */
static bool add_tasks(StratCompiler *c, uint32_t class, GError **error)
{
    const StratClassCode *code = &c->classes[class];
    const GArray *tasks = code->orders->pdata[code->stage];
    if (strat_compile_has_units(c))
        return strat_compile_units(c, class, error);
    add_parameter_gathers(c, class);
    for (guint i = 0; i < tasks->len; i++) {
        const StratTask *task = &g_array_index(tasks, StratTask, i);
        if (task->kind == STRAT_TASK_PAIRED_FORWARD) {
            add_pair(c, class, task);
            i++;
        } else if (!add_task(c, class, task, error)) {
            return false;
        }
    }
    return true;
}

bool strat_compile_step(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    number_sends(c, class);
    code->last_reduce = STRAT_NO_OP;
    strat_compile_delayed_update(c, class, strat_compile_updated(c, code));
    g_array_set_size(code->reductions, 0);
    double shared = strat_compile_trained(c, code, STRAT_PARAMS_SHARED);
    if (gossips(c) &&
        !strat_compile_reduce(c, class, STRAT_PARAMS_SHARED, shared, code->last_main, error))
        return false;
    if (!add_tasks(c, class, error))
        return false;
    return strat_compile_end(c, class, error);
}
