/* Fuzzes execution traces: the first byte is how many ranks the input is cut into (at most four), the
 * files follow, each behind its length in two bytes. Whatever comes in, it is replayed to the end or
 * refused with a message; never a crash, a leak or a hang. */
#include "scen_et.h"
#include "scen_load.h"
#include "scen_simulate.h"

#include <string.h>

enum { RANKS_MOST = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "cluster: {node: dgx-h100, nodes: 2, gpus: 4}\n"
                           "placement: spread\n"
                           "network: fluid\n"
                           "execution_trace: {files: t.%d.et, compute: roofline}\n";

static StratEt *read_all(const uint8_t *data, size_t size, GError **error)
{
    g_autoptr(StratEt) et = strat_et_new();
    uint32_t ranks = data[0] % RANKS_MOST + 1;
    size_t at = 1;
    for (uint32_t r = 0; r < ranks; r++) {
        size_t length = at + 2 <= size ? (size_t)(data[at] | data[at + 1] << 8) : 0;
        at = MIN(at + 2, size);
        length = MIN(length, size - at);
        if (!scen_et_read_rank(et, "fuzz", (const char *)data + at, length, error))
            return NULL;
        at += length;
    }
    return g_steal_pointer(&et);
}

static bool replay(const ScenScenario *scenario, StratEt *et, GError **error)
{
    static const int64_t dimensions[] = {2, 2};
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error) || !strat_et_order(et, error) ||
        !strat_et_find_groups(et, dimensions, 2, error))
        return false;
    g_autoptr(StratEtResult) result = strat_et_replay(et, &scenario->trace.plan, &costing, error);
    for (uint32_t r = 0; result && r < result->ranks; r++) {
        int64_t sum = 0;
        for (int a = 0; a < STRAT_ET_ACCOUNTS; a++)
            sum += result->rank[r].ns[a];
        g_assert(sum == result->makespan);
    }
    return result != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ScenScenario *scenario; /* the same for all inputs, and kept */
    g_autoptr(GError) error = NULL;
    ScenLoadOptions options = {.data_dir = NULL};
    if (size < 3)
        return 0;
    if (!scenario)
        scenario = scen_scenario_parse("fuzz.yaml", text, strlen(text), &options, &error);
    if (!scenario)
        g_error("%s", error->message);
    g_autoptr(StratEt) et = read_all(data, size, &error);
    g_assert((et != NULL) == (error == NULL));
    if (!et) {
        g_assert(error->message[0] != '\0');
        return 0;
    }
    bool ran = replay(scenario, et, &error);
    g_assert(ran == (error == NULL));
    g_assert(ran || error->message[0] != '\0');
    return 0;
}
