/* From a node as it is written to a node that can be replayed: the numbers of types and collectives
 * are those of the schema (et_def.proto), attributes have the names that Chakra's feeder looks for.
 */
#include "scen_et.h"

#include "scen_errors.h"

ScenEtNumber scen_et_number(const char *name)
{
    static const char *const names[SCEN_ET_NUMBERS] = {
        [SCEN_ET_NUM_OPS] = "num_ops",     [SCEN_ET_TENSOR_SIZE] = "tensor_size",
        [SCEN_ET_COMM_TYPE] = "comm_type", [SCEN_ET_COMM_SIZE] = "comm_size",
        [SCEN_ET_COMM_SRC] = "comm_src",   [SCEN_ET_COMM_DST] = "comm_dst",
        [SCEN_ET_COMM_TAG] = "comm_tag",   [SCEN_ET_IS_CPU_OP] = "is_cpu_op",
    };
    for (int i = 0; i < SCEN_ET_NUMBERS; i++)
        if (g_str_equal(name, names[i]))
            return (ScenEtNumber)i;
    return SCEN_ET_NUMBERS;
}

/* Invalid nodes are those without a type: ASTRA-sim passes over them too. */
static const StratEtKind kinds[] = {
    [0] = STRAT_ET_NOTHING, /* INVALID_NODE */
    [1] = STRAT_ET_NOTHING, /* METADATA_NODE */
    [2] = STRAT_ET_MEMORY,  /* MEM_LOAD_NODE */
    [3] = STRAT_ET_MEMORY,  /* MEM_STORE_NODE */
    [4] = STRAT_ET_COMPUTE,    [5] = STRAT_ET_SEND,    [6] = STRAT_ET_RECV,
    [7] = STRAT_ET_COLLECTIVE, [8] = STRAT_ET_STORAGE, /* STORAGE_NODE */
    [9] = STRAT_ET_STORAGE,                            /* BATCH_NODE */
    [10] = STRAT_ET_STORAGE,                           /* CHECKPOINT_NODE */
};

enum { BYTES_MOST_BITS = 53 }; /* what a double counts exactly */

/* Says what is wrong with @raw, which is no node of the rank yet. */
static bool wrong(const StratEt *et, uint32_t rank, const ScenEtRaw *raw, GError **error,
                  const char *format, ...) G_GNUC_PRINTF(5, 6);

static bool wrong(const StratEt *et, uint32_t rank, const ScenEtRaw *raw, GError **error,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    g_autofree char *name = g_utf8_make_valid(raw->name, -1);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: node %" G_GUINT64_FORMAT " '%s': %s",
                of->path, raw->id, name, message);
    return false;
}

/* The rank at the other end of a send or a receive. */
static bool take_peer(StratEt *et, uint32_t rank, const ScenEtRaw *raw, StratEtNode *node,
                      GError **error)
{
    bool sends = node->kind == STRAT_ET_SEND;
    ScenEtNumber own = sends ? SCEN_ET_COMM_SRC : SCEN_ET_COMM_DST;
    ScenEtNumber other = sends ? SCEN_ET_COMM_DST : SCEN_ET_COMM_SRC;
    if (raw->is_given[own] && raw->number[own] != rank)
        return wrong(et, rank, raw, error,
                     "is of rank %" G_GUINT64_FORMAT " by its %s, in the file of rank %u",
                     raw->number[own], sends ? "comm_src" : "comm_dst", rank);
    if (!raw->is_given[other] || raw->number[other] >= STRAT_ET_NONE)
        return wrong(et, rank, raw, error, "needs %s, the rank that it %s",
                     sends ? "comm_dst" : "comm_src", sends ? "sends to" : "receives from");
    if (raw->number[SCEN_ET_COMM_TAG] > UINT32_MAX)
        return wrong(et, rank, raw, error, "has comm_tag %" G_GUINT64_FORMAT ", at most 2^32 - 1",
                     raw->number[SCEN_ET_COMM_TAG]);
    node->comm.peer = (uint32_t)raw->number[other];
    node->comm.tag = (uint32_t)raw->number[SCEN_ET_COMM_TAG];
    return true;
}

static bool take_communication(StratEt *et, uint32_t rank, const ScenEtRaw *raw, StratEtNode *node,
                               GError **error)
{
    bool is_collective = node->kind == STRAT_ET_COLLECTIVE;
    uint64_t type = raw->number[SCEN_ET_COMM_TYPE];
    if (is_collective && (!raw->is_given[SCEN_ET_COMM_TYPE] || type >= STRAT_ET_COLLECTIVES))
        return raw->is_given[SCEN_ET_COMM_TYPE]
                   ? wrong(et, rank, raw, error,
                           "has comm_type %" G_GUINT64_FORMAT ", which is no collective (0 to %d)",
                           type, STRAT_ET_COLLECTIVES - 1)
                   : wrong(et, rank, raw, error, "is a collective and needs comm_type");
    node->collective = (uint8_t)type;
    bool needs_size = !is_collective || type != STRAT_ET_BARRIER;
    if (needs_size && !raw->is_given[SCEN_ET_COMM_SIZE])
        return wrong(et, rank, raw, error, "communicates and needs comm_size");
    node->comm.bytes = raw->number[SCEN_ET_COMM_SIZE];
    node->comm.group = raw->group && is_collective ? strat_et_name(et, raw->group) : STRAT_ET_NONE;
    node->comm.dimensions = raw->group ? 0 : raw->dimensions;
    return is_collective || take_peer(et, rank, raw, node, error);
}

bool scen_et_add_node(StratEt *et, uint32_t rank, const ScenEtRaw *raw, GError **error)
{
    StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    if (raw->type >= G_N_ELEMENTS(kinds))
        return wrong(et, rank, raw, error, "has type %" G_GUINT64_FORMAT ", known: 0 to %d",
                     raw->type, (int)G_N_ELEMENTS(kinds) - 1);
    const ScenEtNumber sizes[] = {SCEN_ET_TENSOR_SIZE, SCEN_ET_COMM_SIZE, SCEN_ET_NUM_OPS};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (raw->number[sizes[i]] >> BYTES_MOST_BITS > (sizes[i] == SCEN_ET_NUM_OPS ? 1023 : 0))
            return wrong(et, rank, raw, error,
                         "has a size of %" G_GUINT64_FORMAT ", which is absurd",
                         raw->number[sizes[i]]);
    StratEtNode node = {
        .id = raw->id,
        .duration_us = raw->duration_us,
        .name = strat_et_name(et, raw->name),
        .kind = (uint8_t)kinds[raw->type],
        .on_host = raw->number[SCEN_ET_IS_CPU_OP] != 0,
        .first_dep = of->dep_ids->len - raw->dep_count,
        .dep_count = raw->dep_count,
    };
    bool communicates = node.kind == STRAT_ET_SEND || node.kind == STRAT_ET_RECV ||
                        node.kind == STRAT_ET_COLLECTIVE;
    if (communicates && !take_communication(et, rank, raw, &node, error))
        return false;
    if (!communicates) {
        node.work.flop = (double)raw->number[SCEN_ET_NUM_OPS];
        node.work.bytes = raw->number[SCEN_ET_TENSOR_SIZE];
    }
    g_array_append_val(of->nodes, node);
    et->nodes++;
    return true;
}
