/* What each operation takes.
 *
 * Computation on the GPU, over the speed that is asked for:
 *
 *   measured   what was recorded
 *   roofline   max(num_ops / peak, tensor_size / memory bandwidth)     [FLOP, FLOP/s, bytes, bytes/s]
 *
 * which is ASTRA-sim's roofline (Workload.cc), and what was recorded for nodes without num_ops and
 * tensor_size. The host computes as was recorded. Memory nodes take what was recorded, or the time of
 * their tensor over the GPU's link to its host.
 *
 * comm_size is what one member gives, as ASTRA-sim has it (system/collective/Ring.cc): an all-gather
 * of it gathers as many times that as there are members, the others move it. A reduce is priced as
 * the broadcast that it mirrors, a gather as an all-gather and a scatter as a reduce-scatter, whose
 * busiest rank moves as much; a barrier is an all-reduce of one 4-byte element, as
 * ProcessGroupNCCL::barrier runs it.
 *
 * Left out: memory nodes that share links with other traffic; who is the root of a broadcast. */
#include "strat_et_private.h"

#include <string.h>

static const TopoCollectiveOp ops[STRAT_ET_COLLECTIVES] = {
    [STRAT_ET_ALL_REDUCE] = TOPO_OP_ALL_REDUCE,
    [STRAT_ET_REDUCE] = TOPO_OP_BROADCAST,
    [STRAT_ET_ALL_GATHER] = TOPO_OP_ALL_GATHER,
    [STRAT_ET_GATHER] = TOPO_OP_ALL_GATHER,
    [STRAT_ET_SCATTER] = TOPO_OP_REDUCE_SCATTER,
    [STRAT_ET_BROADCAST] = TOPO_OP_BROADCAST,
    [STRAT_ET_ALL_TO_ALL] = TOPO_OP_ALL_TO_ALL,
    [STRAT_ET_REDUCE_SCATTER] = TOPO_OP_REDUCE_SCATTER,
    [STRAT_ET_REDUCE_SCATTER_BLOCK] = TOPO_OP_REDUCE_SCATTER,
    [STRAT_ET_BARRIER] = TOPO_OP_ALL_REDUCE,
};

enum { BARRIER_BYTES = 4 };

/* What tells transfers apart. */
typedef struct Key {
    uint32_t op, first, count, padding;
    double bytes, recorded_s;
} Key;

typedef struct Pricing {
    StratEtWork *work;
    uint32_t *group_first; /* of each group, in the gpus; NONE until it is needed */
    GHashTable *pairs;     /* of sends: from << 32 | to, to the first of its two + 1 */
    GHashTable *transfers; /* of Key, to number + 1 */
    GArray *alone;         /* of SimTime: what each transfer takes alone */
} Pricing;

static guint key_hash(gconstpointer data)
{
    const Key *key = data;
    uint64_t bytes;
    memcpy(&bytes, &key->bytes, sizeof bytes);
    return (guint)(bytes >> 32 ^ bytes) * 31 + key->first * 17 + key->op;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

static int64_t gpu_of(const StratEtWork *work, uint32_t rank)
{
    const int64_t *gpu_of_rank = work->costing->gpu_of_rank;
    return gpu_of_rank ? gpu_of_rank[rank] : rank;
}

/* Adds the GPU of @rank to those of groups; returns its place. */
static uint32_t add_gpu(StratEtWork *work, uint32_t rank)
{
    int64_t gpu = gpu_of(work, rank);
    g_array_append_val(work->gpus, gpu);
    return work->gpus->len - 1;
}

static uint32_t first_of_group(Pricing *pricing, uint32_t group)
{
    StratEtWork *work = pricing->work;
    if (pricing->group_first[group] != STRAT_ET_NONE)
        return pricing->group_first[group];
    const StratEtGroup *of = &g_array_index(work->et->groups, StratEtGroup, group);
    pricing->group_first[group] = work->gpus->len;
    for (uint32_t i = 0; i < of->count; i++)
        add_gpu(work, of->ranks[i]);
    return pricing->group_first[group];
}

static uint32_t first_of_pair(Pricing *pricing, uint32_t from, uint32_t to)
{
    gpointer key = GSIZE_TO_POINTER((gsize)from << 32 | to);
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(pricing->pairs, key));
    if (known == 0) {
        known = add_gpu(pricing->work, from) + 1;
        add_gpu(pricing->work, to);
        g_hash_table_insert(pricing->pairs, key, GUINT_TO_POINTER(known));
    }
    return known - 1;
}

static gint by_number(gconstpointer left, gconstpointer right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* How many of the GPUs share a scale-up domain: the fewest of any domain that has some. */
static int64_t per_domain(const TopoCluster *cluster, const int64_t *gpus, uint32_t count)
{
    int64_t size = cluster->node.scale_up_gpus, least = count, run = 0;
    g_autofree int64_t *domain = g_new(int64_t, count);
    for (uint32_t i = 0; i < count; i++)
        domain[i] = gpus[i] / size;
    qsort(domain, count, sizeof *domain, by_number);
    for (uint32_t i = 0; i < count; i++) {
        run++;
        if (i + 1 < count && domain[i + 1] == domain[i])
            continue;
        least = MIN(least, run);
        run = 0;
    }
    return least;
}

static TopoKind kind_of(const TopoCluster *cluster, const int64_t *gpus, uint32_t count)
{
    TopoKind kind = topo_cluster_kind(cluster, gpus[0]);
    for (uint32_t i = 1; i < count; i++)
        if (topo_cluster_kind(cluster, gpus[i]) != kind)
            return TOPO_KIND_BETWEEN;
    return kind;
}

/* The number of the transfer that @key stands for, made on first use. */
static uint32_t number_of(Pricing *pricing, const Key *key)
{
    StratEtWork *work = pricing->work;
    const TopoCluster *cluster = work->costing->cluster;
    const TopoAlgorithm *algorithm = work->plan->algorithm;
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(pricing->transfers, key));
    if (known > 0)
        return known - 1;
    const int64_t *gpus = &g_array_index(work->gpus, int64_t, key->first);
    bool serves = algorithm && (algorithm->serves >> key->op & 1);
    TopoTransfer transfer = {
        .op = (TopoCollectiveOp)key->op,
        .ranks = key->count,
        .ranks_per_domain = per_domain(cluster, gpus, key->count),
        .bytes = key->bytes,
        .measured_s = key->recorded_s,
        .kind = kind_of(cluster, gpus, key->count),
        .algorithm = serves ? algorithm : NULL,
    };
    TopoRanks ranks = {.first = key->first, .stride = 1, .count = key->count};
    g_array_append_val(work->transfers, transfer);
    g_array_append_val(work->groups, ranks);
    uint32_t end = work->groups->len;
    g_array_append_val(work->group_ends, end);
    g_hash_table_insert(pricing->transfers, g_memdup2(key, sizeof *key), GUINT_TO_POINTER(end));
    return end - 1;
}

/* The least that a member of @meeting recorded: others waited within theirs. 0: nobody did. */
static double recorded_s(const StratEtWork *work, const StratEtMeeting *meeting)
{
    uint64_t least = 0;
    for (uint32_t i = 0; i < meeting->count; i++) {
        uint32_t op = g_array_index(work->members, uint32_t, meeting->first + i);
        uint64_t us = strat_et_op_node(work, op)->duration_us;
        if (us > 0 && (least == 0 || us < least))
            least = us;
    }
    return (double)least * 1e-6;
}

/* What the last transfer takes alone, which @op is the first to run. */
static bool price_transfer(Pricing *pricing, uint32_t op, GError **error)
{
    const StratEtWork *work = pricing->work;
    const TopoTransfer *transfer =
        &g_array_index(work->transfers, TopoTransfer, work->transfers->len - 1);
    double seconds = transfer->measured_s > 0.0
                         ? transfer->measured_s
                         : work->costing->net->seconds(work->costing->cluster, transfer);
    SimTime alone = 0;
    if (sim_time_from_seconds(seconds, &alone, error)) {
        g_array_append_val(pricing->alone, alone);
        return true;
    }
    g_autofree char *who = strat_et_op_describe(work, op);
    g_prefix_error(error,
                   "%s, with %" G_GINT64_FORMAT " members, %" G_GINT64_FORMAT
                   " in a scale-up domain, cannot run on this cluster: ",
                   who, transfer->ranks, transfer->ranks_per_domain);
    return false;
}

static bool price_meeting(Pricing *pricing, StratEtMeeting *meeting, GError **error)
{
    StratEtWork *work = pricing->work;
    const uint32_t *members = &g_array_index(work->members, uint32_t, meeting->first);
    const StratEtNode *node = strat_et_op_node(work, members[0]);
    Key key = {.op = TOPO_OP_SEND, .count = 2, .bytes = (double)meeting->bytes};
    if (meeting->group == STRAT_ET_NONE) {
        key.first = first_of_pair(pricing, work->rank_of[members[0]], node->comm.peer);
    } else {
        key.op = (uint32_t)ops[node->collective];
        key.count = meeting->count;
        key.first = first_of_group(pricing, meeting->group);
        if (key.op == TOPO_OP_ALL_GATHER)
            key.bytes *= meeting->count;
        if (node->collective == STRAT_ET_BARRIER)
            key.bytes = BARRIER_BYTES;
    }
    if (work->plan->communication == STRAT_ET_AS_RECORDED)
        key.recorded_s = recorded_s(work, meeting);
    meeting->transfer = number_of(pricing, &key);
    if (meeting->transfer == pricing->alone->len && !price_transfer(pricing, members[0], error))
        return false;
    meeting->alone = g_array_index(pricing->alone, SimTime, meeting->transfer);
    return true;
}

static double roofline_s(const StratEtWork *work, uint32_t op, const StratEtNode *node)
{
    const StratEtPlan *plan = work->plan;
    const TopoCluster *cluster = work->costing->cluster;
    TopoCluster room;
    TopoKind kind = topo_cluster_kind(cluster, gpu_of(work, work->rank_of[op]));
    const TopoGpu *gpu = &topo_cluster_of_kind(cluster, kind, &room)->node.gpu;
    double peak =
        plan->peak_flop_per_s > 0.0 ? plan->peak_flop_per_s : gpu->peak_flop_per_s[plan->precision];
    double memory =
        plan->memory_bytes_per_s > 0.0 ? plan->memory_bytes_per_s : gpu->memory_bytes_per_s;
    return MAX(node->work.flop / peak, (double)node->work.bytes / memory);
}

static double node_s(const StratEtWork *work, uint32_t op, StratEtResult *result)
{
    const StratEtNode *node = strat_et_op_node(work, op);
    const StratEtPlan *plan = work->plan;
    double recorded = (double)node->duration_us * 1e-6;
    bool is_sized = node->work.flop > 0.0 || node->work.bytes > 0;
    double remote = plan->remote_bytes_per_s > 0.0 ? plan->remote_bytes_per_s
                                                   : work->costing->cluster->node.host_bytes_per_s;
    switch ((StratEtKind)node->kind) {
    case STRAT_ET_COMPUTE:
        if (node->on_host)
            return recorded;
        if (plan->compute == STRAT_ET_ROOFLINE && is_sized)
            return roofline_s(work, op, node) / plan->speed;
        result->unpriced += plan->compute == STRAT_ET_ROOFLINE;
        return recorded / plan->speed;
    case STRAT_ET_MEMORY:
        return node->duration_us > 0 ? recorded : (double)node->work.bytes / remote;
    case STRAT_ET_STORAGE:
        return recorded;
    default:
        return 0.0;
    }
}

static bool fail(const StratEtWork *work, uint32_t op, GError **error, const char *text)
{
    uint32_t rank = work->rank_of[op];
    return strat_et_fail(work->et, rank, op - work->base[rank], error, "%s", text);
}

/* Durations that are asked for must be there: a trace that was made without any is for a roofline. */
static bool check_measured(const StratEtWork *work, GError **error)
{
    uint32_t first = STRAT_ET_NONE;
    for (uint32_t op = 0; op < work->ops && work->plan->compute == STRAT_ET_MEASURED; op++) {
        const StratEtNode *node = strat_et_op_node(work, op);
        if (node->kind != STRAT_ET_COMPUTE || node->on_host)
            continue;
        if (node->duration_us > 0)
            return true;
        if (first == STRAT_ET_NONE && node->work.flop > 0.0)
            first = op;
    }
    return first == STRAT_ET_NONE ||
           fail(work, first, error,
                "no computation of the trace has a duration_micros: execution_trace.compute: "
                "roofline prices num_ops and tensor_size");
}

static bool price_nodes(StratEtWork *work, StratEtResult *result, GError **error)
{
    for (uint32_t op = 0; op < work->ops; op++) {
        if (work->meeting_of[op] != STRAT_ET_NONE)
            continue;
        g_autoptr(GError) cause = NULL;
        if (!sim_time_from_seconds(node_s(work, op, result), &work->duration[op], &cause))
            return fail(work, op, error, cause->message);
    }
    return true;
}

bool strat_et_price(StratEtWork *work, StratEtResult *result, GError **error)
{
    guint groups = work->et->groups->len;
    g_autofree uint32_t *group_first = g_new(uint32_t, MAX(groups, 1));
    g_autoptr(GHashTable) pairs = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) transfers = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    g_autoptr(GArray) alone = g_array_new(FALSE, FALSE, sizeof(SimTime));
    Pricing pricing = {work, group_first, pairs, transfers, alone};
    for (guint g = 0; g < groups; g++)
        group_first[g] = STRAT_ET_NONE;
    for (guint m = 0; m < work->meetings->len; m++)
        if (!price_meeting(&pricing, &g_array_index(work->meetings, StratEtMeeting, m), error))
            return false;
    return check_measured(work, error) && price_nodes(work, result, error);
}
