/* Published checkpoints: their size, and what they took on storage of a published rate. Rates that
 * were derived from the same run's time prove the size alone; that is the case of BLOOM. */
#include "scen_load.h"
#include "scen_saves.h"
#include "scen_simulate.h"

#include <criterion/criterion.h>

#define SCENARIOS TEST_SOURCE_DIR "/scenarios/"

static const double TIB = 1099511627776.0;

/* What the plan of @file makes of checkpoints on @storage. */
static StratSaves saves_of(const char *file, const char *storage, const char *writers)
{
    g_autofree char *campaign =
        g_strdup_printf("campaign={duration: 1 d, faults: rsc-1, storage: %s, "
                        "checkpoint: {interval: 1 h, mode: sync, "
                        "writers: %s}, recovery: {}}",
                        storage, writers);
    const char *const sets[] = {campaign, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(file, sets, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    g_autoptr(StratTrainResult) step = scen_simulate(scenario, &error);
    cr_assert(step, "%s", error ? error->message : "");
    StratSaves saves;
    cr_assert(scen_saves_run(scenario, step, &saves, &error), "%s", error ? error->message : "");
    return saves;
}

/* 2.3 TiB (329 GiB of them bf16 weights); 40 s each 100 steps of 105.2 s, 0.37 % of the time. */
Test(storage_published, bloom_saved_2_3_tib_in_40_s)
{
    StratSaves s =
        saves_of(SCENARIOS "published/bigscience_bloom_production.yaml", "jean-zay-bloom", "first");
    cr_expect_float_eq(s.write.bytes / TIB, 2.3, 0.05, "%g TiB", s.write.bytes / TIB);
    cr_expect_float_eq(s.block_s, 40.0, 1.5, "%g s", s.block_s);
    double share = s.block_s / (100.0 * 105.2 + s.block_s);
    cr_expect_float_eq(share, 0.0037, 0.0002, "%g", share);
}

/* 14 bytes a parameter of 405 billion at 2 TB/s; shards of 1 MB to 4 GB a GPU, which a first
 * replica that writes all weights would pass. */
Test(storage_published, llama_3_saves_in_3_s_on_2_tb_a_second)
{
    const char *file = SCENARIOS "failures/llama-3.1-405b-54-days.yaml";
    StratSaves spread = saves_of(file, "tectonic-llama3", "spread");
    cr_expect_float_eq(spread.write.bytes, 405e9 * 14.0, 0.01 * 405e9 * 14.0, "%g",
                       spread.write.bytes);
    cr_expect_float_eq(spread.save_s, 2.84, 0.03, "%g s", spread.save_s);
    StratSaves first = saves_of(file, "tectonic-llama3", "first");
    double host = 63e9, most = spread.write.copy_s * host; /* of a GPU: its own PCIe link */
    cr_expect(most > 1e6 && most < 4e9, "%g", most);
    cr_expect(first.write.copy_s * host > 4e9, "%g", first.write.copy_s * host);
}

/* GEMINI: 42 min for MT-NLG 530B on 20 Gbps, which fits 12 bytes a parameter: fp32 weights and
 * moments. This model keeps the bf16 weights too. */
Test(storage_published, mt_nlg_takes_42_min_on_20_gbps_without_its_bf16_weights)
{
    StratSaves s =
        saves_of(SCENARIOS "published/seqsel_530B_dp8_full.yaml", "gemini-remote", "spread");
    double minutes = s.write.total_s / 60.0;
    cr_expect_float_eq(minutes * 12.0 / 14.0, 42.0, 0.8, "%g min", minutes);
}
