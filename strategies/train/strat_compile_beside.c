/* Traffic beside blocks.
 *
 * What a tensor, context or expert group moves is priced within the blocks of its ranks (strat_cost.c), as
 * if it were alone on its wires. Where transfers share links and the group spans scale-up domains,
 * each block also gets a transfer beside it, on a stream of its own, that carries all the bytes
 * which the group moves meanwhile, spread evenly over the block:
 *
 *   rate <= bytes / (length of the block - 1 ns)       [bytes/s]
 *
 * where the nanosecond keeps the end from being rounded past the block's. Alone it ends with the
 * block, and the step is what it was. Where it meets other traffic and gets less, it ends later;
 * the next operation waits for both, and the other traffic gets less as well. It starts with the
 * block: it follows the same operations, and where the block's gang meets, its family meets too. So
 * all groups of a gang are one transfer, paced by the gang's longest block.
 *
 * Left out: that the bytes of a block come in bursts, one a layer, which may meet more or less than
 * their average does; and that a late collective delays the layers behind it only in part. */
#include "strat_compile_private.h"

#include "sim_time.h"
#include "strat_cost_traffic.h"

static const struct {
    StratTransferRole role;
    StratBucket bucket;
    const char *name;
} kinds[] = {
    {STRAT_ROLE_TENSOR,  STRAT_BUCKET_TENSOR_COMM,  "tensor traffic" },
    {STRAT_ROLE_CONTEXT, STRAT_BUCKET_CONTEXT_COMM, "context traffic"},
    {STRAT_ROLE_EXPERT,  STRAT_BUCKET_EXPERT_COMM,  "expert traffic" },
};

/* The classes of the gang of @class, each once. */
static GArray *peers_of(const StratCompiler *c, uint32_t class)
{
    StratGroup gang = strat_gang(c->plan, c->fold->representative[class]);
    GArray *peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (int64_t i = 0; i < gang.count; i++) {
        uint32_t peer = c->fold->class_of[gang.first + i * gang.stride];
        guint k = 0;
        while (k < peers->len && g_array_index(peers, uint32_t, k) != peer)
            k++;
        if (k == peers->len)
            g_array_append_val(peers, peer);
    }
    return peers;
}

static int64_t per_domain(const StratClassCode *code, StratTransferRole role)
{
    if (role == STRAT_ROLE_EXPERT)
        return code->position.expert_per_domain;
    return role == STRAT_ROLE_TENSOR ? code->position.tensor_per_domain
                                     : code->position.context_per_domain;
}

static void open_kind(StratCompiler *c, uint32_t class, size_t kind)
{
    StratClassCode *code = &c->classes[class];
    StratTransferRole role = kinds[kind].role;
    int64_t ranks = role == STRAT_ROLE_TENSOR    ? c->plan->tensor
                    : role == STRAT_ROLE_CONTEXT ? c->plan->context
                                                 : MAX(c->plan->expert, 1);
    int64_t least = ranks;
    for (guint i = 0; i < code->peers->len; i++)
        least = MIN(least, per_domain(&c->classes[g_array_index(code->peers, uint32_t, i)], role));
    if (ranks == 1 || least == ranks)
        return;
    StratGroup gang = strat_gang(c->plan, c->fold->representative[class]);
    code->beside[code->beside_count++] = (StratBesideCode){
        .kind = kind,
        .family = strat_rendezvous_family(c->rendezvous, &gang, kinds[kind].name),
        .stream = sim_program_add_stream(c->program, c->first_class + class, kinds[kind].name),
        .ranks = ranks,
        .ranks_per_domain = least,
    };
}

void strat_compile_open_beside(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    if (!c->costing->net->shares_links || c->plan->profiled.forward_s > 0.0)
        return;
    code->peers = peers_of(c, class);
    for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
        open_kind(c, class, kind);
}

static uint32_t block_of(const StratClassCode *code, int64_t chunk, int64_t piece,
                         StratTaskKind kind)
{
    const StratChunkCode *at = &code->chunks[chunk];
    return piece < 0 ? at->block[kind] : at->piece_block[kind][piece];
}

/* How long the gang's block is: as long as the longest of its classes. */
static SimTime longest_ns(const StratCompiler *c, const StratClassCode *code, int64_t chunk,
                          int64_t piece, StratTaskKind task)
{
    SimTime longest = 0;
    for (guint i = 0; i < code->peers->len; i++) {
        const StratClassCode *peer = &c->classes[g_array_index(code->peers, uint32_t, i)];
        uint32_t block = block_of(peer, chunk, piece, task);
        longest = MAX(longest, sim_program_block_total(c->program, block));
    }
    return longest;
}

/* What @beside moves during a block of @length_ns; nothing when there is nothing, or no time. */
static TopoTransfer transfer_of(const StratCompiler *c, const StratClassCode *code,
                                const StratBesideCode *beside, int64_t chunk, int64_t piece,
                                StratTaskKind task)
{
    const StratChunkCode *at = &code->chunks[chunk];
    StratModelChunk moved = piece < 0 ? at->chunk : at->pieces[piece];
    StratTransferRole role = kinds[beside->kind].role;
    if (role == STRAT_ROLE_EXPERT) /* the gang's, as all its ranks have to say the same */
        moved.expert_per_domain = beside->ranks_per_domain;
    StratTraffic traffic = strat_cost_traffic(c->costing, &moved, task);
    SimTime length_ns = longest_ns(c, code, chunk, piece, task);
    bool exchanges = role == STRAT_ROLE_EXPERT ||
                     (role == STRAT_ROLE_CONTEXT && strat_context_row(c->plan)->exchanges);
    double bytes = role == STRAT_ROLE_TENSOR    ? traffic.tensor_bytes
                   : role == STRAT_ROLE_CONTEXT ? traffic.context_bytes
                                                : traffic.expert_bytes;
    return (TopoTransfer){
        .op = exchanges ? TOPO_OP_ALL_TO_ALL : TOPO_OP_ALL_GATHER,
        .ranks = beside->ranks,
        .ranks_per_domain = beside->ranks_per_domain,
        .bytes = bytes,
        .paced_s = length_ns > 1 ? sim_time_to_seconds(length_ns - 1) : 0.0,
    };
}

/* The number of that transfer, or none. */
static uint32_t transfer_number(StratCompiler *c, uint32_t class, uint32_t which, int64_t chunk,
                                int64_t piece, StratTaskKind task)
{
    StratClassCode *code = &c->classes[class];
    const StratBesideCode *beside = &code->beside[which];
    uint32_t *known =
        &code->chunks[chunk]
             .beside[which][task][piece < 0 ? code->chunks[chunk].piece_count : piece];
    if (*known != 0)
        return *known == STRAT_NO_OP ? STRAT_NO_OP : *known - 1;
    TopoTransfer transfer = transfer_of(c, code, beside, chunk, piece, task);
    *known = STRAT_NO_OP;
    if (transfer.bytes <= 0.0 || transfer.paced_s <= 0.0)
        return STRAT_NO_OP;
    StratOwner owner = {class, beside->family, kinds[beside->kind].role};
    uint32_t number = strat_transfers_number(c->transfers, &transfer, &owner);
    *known = number + 1;
    return number;
}

uint32_t strat_compile_block(StratCompiler *c, uint32_t class, int64_t chunk, int64_t piece,
                             StratTaskKind kind)
{
    StratClassCode *code = &c->classes[class];
    uint32_t before[STRAT_BESIDE_MAX + 1], before_count = 0;
    if (code->last_main != STRAT_NO_OP)
        before[before_count++] = code->last_main;
    for (uint32_t i = 0; i < code->pending_count; i++)
        before[before_count++] = code->pending[i];
    SimOp op = {.group = strat_rendezvous_at(c->rendezvous, code->gang_family, code->gang_nth++),
                .block = block_of(code, chunk, piece, kind),
                .label = c->label_task[kind],
                .kind = SIM_OP_COMPUTE};
    uint32_t block = strat_compile_main(c, class, op);
    for (uint32_t i = 0; i < code->beside_count; i++) {
        StratBesideCode *beside = &code->beside[i];
        uint32_t number = transfer_number(c, class, i, chunk, piece, kind);
        if (number == STRAT_NO_OP)
            continue;
        SimOp transfer = {.rank_class = c->first_class + class,
                          .group =
                              strat_rendezvous_at(c->rendezvous, beside->family, beside->nth++),
                          .transfer = number,
                          .stream = beside->stream,
                          .bucket = (uint16_t)kinds[beside->kind].bucket,
                          .label = sim_program_label(c->program, kinds[beside->kind].name),
                          .kind = SIM_OP_COLLECTIVE};
        uint32_t id = sim_program_add_op(c->program, &transfer);
        code->pending[code->pending_count++] = id;
        for (uint32_t k = 0; k < before_count; k++)
            sim_program_add_dep(c->program, id, before[k]);
    }
    return block;
}

uint32_t strat_compile_main(StratCompiler *c, uint32_t class, SimOp op)
{
    StratClassCode *code = &c->classes[class];
    op.rank_class = c->first_class + class;
    op.stream = SIM_STREAM_MAIN;
    uint32_t id = sim_program_add_op(c->program, &op);
    for (uint32_t i = 0; i < code->pending_count; i++)
        sim_program_add_dep(c->program, id, code->pending[i]);
    code->pending_count = 0;
    code->last_main = id;
    return id;
}

void strat_compile_after(StratCompiler *c, uint32_t class, uint32_t op, uint32_t block)
{
    const StratClassCode *code = &c->classes[class];
    sim_program_add_dep(c->program, op, block);
    for (uint32_t i = 0; i < code->pending_count; i++)
        sim_program_add_dep(c->program, op, code->pending[i]);
}

void strat_compile_block_waits(StratCompiler *c, uint32_t class, uint32_t block, uint32_t on)
{
    const StratClassCode *code = &c->classes[class];
    sim_program_add_dep(c->program, block, on);
    for (uint32_t i = 0; i < code->pending_count; i++)
        sim_program_add_dep(c->program, code->pending[i], on);
}
