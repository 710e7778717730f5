/* Between a scenario's storage and its campaign. A time that the scenario gives stays as it is. */
#include "scen_saves.h"

#include "scen_simulate.h"

bool scen_saves_run(const ScenScenario *scenario, const StratTrainResult *step, StratSaves *saves,
                    GError **error)
{
    const ScenCampaign *written = &scenario->campaign;
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return false;
    StratSaving saving = written->saving;
    saving.servers = written->storage.servers;
    saving.storage = scen_storage_at(&written->storage, &scenario->cluster, &costing.fabric);
    StratSavedJob job = {
        .costing = &costing,
        .step = step,
        .step_s = written->step_s > 0.0 ? written->step_s : sim_time_to_seconds(step->step_ns),
        .copy_interval_s = written->spec.checkpoint.memory_interval_s,
        .copies = written->spec.checkpoint.copies,
        .peers = written->spec.recovery.policy->peers,
    };
    return strat_saves_run(&saving, &job, saves, error);
}

void scen_saves_apply(const ScenCampaign *written, const StratSaves *saves, StratCampaign *campaign)
{
    StratCampaignCheckpoint *checkpoint = &campaign->checkpoint;
    if (!written->gives_block)
        checkpoint->block_s = saves->block_s + saves->slowed_s;
    if (!written->gives_save)
        checkpoint->save_s = saves->save_s;
    checkpoint->save_s = MAX(checkpoint->save_s, checkpoint->block_s);
    checkpoint->memory_block_s = saves->copy_block_s;
    if (!written->gives_load)
        campaign->recovery.load_s = saves->load_s;
    if (!written->gives_peer_load)
        campaign->recovery.peer_load_s = saves->peer_load_s;
}
