/*
 * The ledger: every nanosecond of each class's main stream, from 0 to the makespan, in exactly one
 * bucket.
 *
 *   a block runs            its segments' buckets; what it then waits for a longer member of its
 *                           gang, the wait bucket
 *   a transfer runs there   the operation's bucket (blocking communication)
 *   a gap before X          X's critical dependency is the one that ends last (the first added, if
 *                           several do), its stream's order aside. If that is a transfer, the part
 *                           of the gap within [its start, its end) is exposed communication and
 *                           goes to its bucket; the rest waits (pipeline bubble, a group gathering)
 *   after the last one      the wait bucket
 *
 * What delayed the critical transfer itself is not followed further: queueing behind another
 * transfer counts as waiting. Nothing of this touches the executor: the ledger is read off the
 * starts and ends afterwards, in one pass over the dependencies and one over the operations. Blocks
 * are first summed by bucket, as a block of a hundred kernels has a handful of buckets.
 */
#include "sim_ledger.h"

#include "sim_error.h"
#include "sim_program_private.h"

#define NO_OP UINT32_MAX

/* So much of a block goes into that bucket. */
typedef struct Charge {
    int64_t ns;
    uint16_t bucket;
} Charge;

typedef struct Account {
    const SimProgram *program;
    const SimRun *run;
    SimLedger *ledger;
    GArray *charges;        /* Charge: of all blocks, one block after the other */
    uint32_t *first_charge; /* of each block; one more at the end */
    uint32_t *critical;     /* of each operation: its dependency that ends last, or NO_OP */
    SimTime *until;         /* of each class: accounted so far */
} Account;

void sim_ledger_free(SimLedger *ledger)
{
    if (ledger == NULL)
        return;
    g_free(ledger->class_ns);
    g_free(ledger->total_ns);
    g_free(ledger);
}

int64_t sim_ledger_class_ns(const SimLedger *ledger, uint32_t rank_class, uint16_t bucket)
{
    g_assert(rank_class < ledger->class_count && bucket < ledger->bucket_count);
    return ledger->class_ns[(size_t)rank_class * ledger->bucket_count + bucket];
}

int64_t sim_ledger_total_ns(const SimLedger *ledger, uint16_t bucket)
{
    g_assert(bucket < ledger->bucket_count);
    return ledger->total_ns[bucket];
}

static void charge(Account *account, uint32_t rank_class, uint16_t bucket, int64_t ns)
{
    SimLedger *ledger = account->ledger;
    ledger->class_ns[(size_t)rank_class * ledger->bucket_count + bucket] += ns;
}

/* Sums @block by bucket, onto the end of the charges. */
static void sum_block(Account *account, uint32_t block)
{
    guint first = account->charges->len;
    size_t count;
    const SimSegment *segments = sim_program_block(account->program, block, &count);
    account->first_charge[block] = first;
    for (size_t i = 0; i < count; i++) {
        guint j = first;
        while (j < account->charges->len &&
               g_array_index(account->charges, Charge, j).bucket != segments[i].bucket)
            j++;
        if (j == account->charges->len) {
            Charge empty = {.bucket = segments[i].bucket};
            g_array_append_val(account->charges, empty);
        }
        g_array_index(account->charges, Charge, j).ns += segments[i].duration_ns;
    }
}

static void account_init(Account *account, const SimProgram *p, const SimRun *run,
                         SimLedger *ledger)
{
    *account = (Account){
        .program = p,
        .run = run,
        .ledger = ledger,
        .charges = g_array_new(FALSE, FALSE, sizeof(Charge)),
        .first_charge = g_new(uint32_t, (size_t)p->blocks->len + 1),
        .critical = g_new(uint32_t, p->op_count),
        .until = g_new0(SimTime, p->classes->len),
    };
    for (uint32_t i = 0; i < p->blocks->len; i++)
        sum_block(account, i);
    account->first_charge[p->blocks->len] = account->charges->len;
}

static void account_clear(Account *account)
{
    g_array_unref(account->charges);
    g_free(account->first_charge);
    g_free(account->critical);
    g_free(account->until);
}

static void find_critical(Account *account)
{
    const SimProgram *p = account->program;
    const SimTime *end = account->run->end;
    uint32_t *critical = account->critical;
    for (uint32_t i = 0; i < p->op_count; i++)
        critical[i] = NO_OP;
    for (uint32_t i = 0; i < p->op_count; i++) {
        for (uint32_t j = p->first_edge[i]; j < p->first_edge[i + 1]; j++) {
            uint32_t next = p->edges[j];
            if (p->ops[next].stream == p->ops[i].stream &&
                p->ops[next].rank_class == p->ops[i].rank_class)
                continue;
            if (critical[next] == NO_OP || end[i] > end[critical[next]])
                critical[next] = i;
        }
    }
}

/* Accounts the idle time before operation @op, from @from to its start. */
static void account_gap(Account *account, uint32_t op, SimTime from)
{
    const SimProgram *p = account->program;
    const SimRun *run = account->run;
    uint32_t rank_class = p->ops[op].rank_class;
    SimTime gap = run->start[op] - from;
    uint32_t cause = account->critical[op];
    if (cause != NO_OP && sim_op_kind_is_transfer(p->ops[cause].kind)) {
        SimTime exposed = MIN(run->start[op], run->end[cause]) - MAX(from, run->start[cause]);
        if (exposed > 0) {
            charge(account, rank_class, p->ops[cause].bucket, exposed);
            gap -= exposed;
        }
    }
    charge(account, rank_class, p->wait_bucket, gap);
}

/* Accounts the main-stream operation @op from its start to its end. */
static void account_op(Account *account, uint32_t op)
{
    const SimProgram *p = account->program;
    const SimOp *what = &p->ops[op];
    SimTime left = account->run->end[op] - account->run->start[op];
    if (sim_op_kind_is_transfer(what->kind)) {
        charge(account, what->rank_class, what->bucket, left);
        return;
    }
    for (uint32_t i = account->first_charge[what->block];
         i < account->first_charge[what->block + 1]; i++) {
        const Charge *part = &g_array_index(account->charges, Charge, i);
        charge(account, what->rank_class, part->bucket, part->ns);
        left -= part->ns;
    }
    charge(account, what->rank_class, p->wait_bucket, left);
}

static void account_all(Account *account)
{
    const SimProgram *p = account->program;
    find_critical(account);
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->ops[i].stream != SIM_STREAM_MAIN)
            continue;
        SimTime *until = &account->until[p->ops[i].rank_class];
        if (account->run->start[i] > *until)
            account_gap(account, i, *until);
        account_op(account, i);
        *until = account->run->end[i];
    }
    for (uint32_t i = 0; i < p->classes->len; i++)
        charge(account, i, p->wait_bucket, account->run->makespan - account->until[i]);
}

/* Weighs the classes into the totals and holds both sums to what they must be. */
static void add_up(SimLedger *ledger, const SimProgram *p)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < ledger->class_count; i++) {
        int64_t gpus = sim_program_class_multiplicity(p, i);
        int64_t class_sum = 0;
        for (uint16_t j = 0; j < ledger->bucket_count; j++) {
            int64_t ns = sim_ledger_class_ns(ledger, i, j);
            g_assert(ns >= 0);
            class_sum += ns;
            ledger->total_ns[j] += gpus * ns;
        }
        g_assert(class_sum == ledger->makespan);
        sum += gpus * class_sum;
    }
    g_assert(sum == ledger->gpus * ledger->makespan);
}

SimLedger *sim_ledger_new(const SimProgram *p, const SimRun *run, GError **error)
{
    int64_t gpus = 0;
    int64_t product;
    bool fits = true;
    for (uint32_t i = 0; i < p->classes->len; i++)
        fits = fits && !__builtin_add_overflow(gpus, sim_program_class_multiplicity(p, i), &gpus);
    if (!fits || __builtin_mul_overflow(gpus, run->makespan, &product)) {
        g_set_error(error, SIM_ERROR, SIM_ERROR_RANGE,
                    "the GPUs' time is more than %.0f GPU years: run less, or on fewer GPUs",
                    sim_time_to_seconds(SIM_TIME_MAX) / (365.25 * 24 * 3600));
        return NULL;
    }
    SimLedger *ledger = g_new0(SimLedger, 1);
    ledger->class_count = sim_program_class_count(p);
    ledger->bucket_count = sim_program_bucket_count(p);
    ledger->makespan = run->makespan;
    ledger->gpus = gpus;
    ledger->class_ns = g_new0(int64_t, (size_t)ledger->class_count * ledger->bucket_count);
    ledger->total_ns = g_new0(int64_t, ledger->bucket_count);
    Account account;
    account_init(&account, p, run, ledger);
    account_all(&account);
    account_clear(&account);
    add_up(ledger, p);
    return ledger;
}
