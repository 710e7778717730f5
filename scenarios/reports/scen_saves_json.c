/* The member "storage" of a campaign's JSON: what its checkpoints and restarts would take. */
#include "scen_json.h"
#include "scen_run_report.h"

static void add_run(JsonBuilder *json, const char *key, const StratStorageRun *run)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
    scen_json_number(json, "bytes", run->bytes);
    scen_json_number(json, "host_copy_s", run->copy_s);
    scen_json_number(json, "total_s", run->total_s);
    scen_json_text(json, "bound", run->bound);
    json_builder_end_object(json);
}

void scen_saves_json(JsonBuilder *json, const ScenRunReport *report)
{
    const ScenCampaign *campaign = &report->scenario->campaign;
    const StratSaves *s = report->saves;
    json_builder_set_member_name(json, "storage");
    json_builder_begin_object(json);
    scen_json_text(json, "name", campaign->storage.row.name);
    add_run(json, "write", &s->write);
    add_run(json, "read", &s->read);
    scen_json_number(json, "block_s", s->block_s);
    scen_json_number(json, "save_s", s->save_s);
    scen_json_number(json, "slowed_s", s->slowed_s);
    scen_json_number(json, "hand_round_s", s->hand_round_s);
    scen_json_number(json, "load_s", s->load_s);
    if (campaign->spec.recovery.policy->peers == STRAT_PEERS_NODE) {
        scen_json_number(json, "copy_bytes", s->copy_bytes);
        scen_json_number(json, "copy_s", s->copy_s);
        scen_json_number(json, "network_idle_s", s->idle_s);
        scen_json_number(json, "copy_block_s", s->copy_block_s);
    }
    if (campaign->spec.recovery.policy->peers != STRAT_PEERS_NONE)
        scen_json_number(json, "peer_load_s", s->peer_load_s);
    scen_json_number(json, "host_bytes", s->host_bytes);
    json_builder_end_object(json);
}
