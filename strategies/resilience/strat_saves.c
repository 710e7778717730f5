/* Checkpoints and restarts of one job, put together.
 *
 *   asynchronous  block = copy to host memory; save = block + flush to storage
 *   synchronous   block = save = both
 *   restart       load = reading + copy to the GPUs + handing round what was read once
 *   peers         block = what a round of copies takes beyond the idle time of the network since
 *                 the last one; or by how much a step that shares its links with it is longer; or
 *                 all of it. The own copy crosses to host memory meanwhile
 *
 * All ranks start at once, at a checkpoint as after a restart: a restart in which every rank reads
 * its own weights reads them once for each rank of a data group.
 *
 * Where the storage's servers stand on the compute network, moving takes what that takes, or what
 * the servers do, whichever is longer. On a network that shares its links, a flush at that pace
 * then runs beside a step: each step that it covers is longer by as much as that one.
 *
 * Left out: the time in which a copy's buffer is allocated and pinned, copies to host memory being
 * at the rate of the link; what a network of the storage's own takes from hosts. */
#include "strat_saves.h"

#include "strat_schedule.h"

#include <math.h>

static bool run_storage(const StratSaving *saving, const StratSavedJob *job, StratStorageWay way,
                        StratStorageRun *run, GError **error)
{
    static const StratShare readers[] = {
        [STRAT_RESTORE_ALL] = STRAT_SHARE_ALL,
        [STRAT_RESTORE_BROADCAST] = STRAT_SHARE_FIRST,
        [STRAT_RESTORE_GATHER] = STRAT_SHARE_SPREAD,
    };
    bool writes = way == STRAT_STORAGE_WRITE;
    const GArray *memory = job->step->memory;
    StratShare share = writes ? saving->writers : readers[saving->restore];
    g_autoptr(GArray) nodes = strat_state_nodes(job->costing, memory, share);
    if (!strat_storage_run(&saving->storage, way, nodes, run, error))
        return false;
    if (saving->servers == 0)
        return true;
    StratServed served = {memory, share, saving->servers, !writes};
    double network_s;
    if (!strat_servers_run(job->costing, &served, &network_s, error))
        return false;
    if (run->copy_s + network_s > run->total_s) {
        run->total_s = run->copy_s + network_s;
        run->bound = "compute network";
    }
    return true;
}

/* Steps beside the flush of an asynchronous checkpoint. */
static bool run_flush(const StratSaving *saving, const StratSavedJob *job, StratSaves *saves,
                      GError **error)
{
    double flush_s = saves->write.total_s - saves->write.copy_s;
    double alone_s = sim_time_to_seconds(job->step->step_ns);
    if (saving->servers == 0 || saving->mode == STRAT_SAVE_SYNC || flush_s <= 0.0 ||
        !job->costing->net->shares_links)
        return true;
    StratServed served = {job->step->memory, saving->writers, saving->servers, false};
    StratBeside beside;
    if (!strat_servers_beside(job->costing, &served, flush_s, &beside, error))
        return false;
    saves->slowed_s = fmax(beside.step_s - alone_s, 0.0) * fmax(flush_s / alone_s, 1.0);
    saves->save_s = fmax(saves->save_s, saves->write.copy_s + beside.sends_s);
    return true;
}

static StratStateNodes busiest(const StratSavedJob *job, StratShare share)
{
    g_autoptr(GArray) nodes = strat_state_nodes(job->costing, job->step->memory, share);
    return g_array_index(nodes, StratStateNodes, 0);
}

/* What a step is longer for beside copies, and what of these is left when the next ones are due. */
static bool share_links(const StratSavedJob *job, const StratPeerCopies *of, StratSaves *saves,
                        GError **error)
{
    const StratCosting *costing = job->costing;
    StratBeside beside;
    if (!costing->net->shares_links) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "copies to peers meet the step (peer_copy: shared) only on a network that "
                    "shares its links, and %s does not",
                    costing->net->name);
        return false;
    }
    if (!strat_peers_copy_beside(costing, of, &beside, error))
        return false;
    double slowed_s = beside.step_s - sim_time_to_seconds(job->step->step_ns);
    double due_s = fmax(job->copy_interval_s, job->step_s);
    saves->copy_s = fmax(saves->copy_s, beside.sends_s);
    saves->copy_block_s = fmax(slowed_s, 0.0) + fmax(saves->copy_s - due_s, 0.0);
    return true;
}

static bool run_peers(const StratSaving *saving, const StratSavedJob *job, StratSaves *saves,
                      GError **error)
{
    if (job->peers == STRAT_PEERS_NONE)
        return true;
    const GArray *memory = job->step->memory;
    if (job->peers == STRAT_PEERS_REPLICA)
        return strat_peers_load_replica(job->costing, memory, &saves->peer_load_s, error);
    StratPeerCopies of = {memory, saving->writers, job->copies};
    if (!strat_peers_copy(job->costing, &of, &saves->copy_s, error) ||
        !strat_peers_load_node(job->costing, &of, &saves->peer_load_s, error))
        return false;
    StratStateNodes sent = busiest(job, saving->writers), all = busiest(job, STRAT_SHARE_ALL);
    double rate = saving->storage.host_copy_bytes_per_s;
    double interval_s = fmax(job->copy_interval_s, job->step_s);
    saves->copy_bytes = sent.bytes;
    saves->host_bytes += (double)job->copies * sent.bytes;
    saves->copy_s = fmax(saves->copy_s, sent.gpu_bytes / rate);
    saves->peer_load_s = fmax(saves->peer_load_s, all.gpu_bytes / rate);
    saves->idle_s =
        fmax(job->step_s - strat_peers_busy_s(job->step), 0.0) * interval_s / job->step_s;
    double hidden_s = saving->copies == STRAT_COPY_IDLE ? saves->idle_s : 0.0;
    saves->copy_block_s = fmax(saves->copy_s - hidden_s, 0.0);
    return saving->copies != STRAT_COPY_SHARED || share_links(job, &of, saves, error);
}

bool strat_saves_run(const StratSaving *saving, const StratSavedJob *job, StratSaves *saves,
                     GError **error)
{
    *saves = (StratSaves){0};
    if (!run_storage(saving, job, STRAT_STORAGE_WRITE, &saves->write, error) ||
        !run_storage(saving, job, STRAT_STORAGE_READ, &saves->read, error))
        return false;
    StratHanding handing =
        saving->restore == STRAT_RESTORE_GATHER ? STRAT_HANDING_GATHER : STRAT_HANDING_BROADCAST;
    if (saving->restore != STRAT_RESTORE_ALL &&
        !strat_peers_hand_round(job->costing, job->step->memory, handing, &saves->hand_round_s,
                                error))
        return false;
    saves->save_s = saves->write.total_s;
    saves->block_s = saving->mode == STRAT_SAVE_SYNC ? saves->save_s : saves->write.copy_s;
    if (!run_flush(saving, job, saves, error))
        return false;
    if (saving->mode == STRAT_SAVE_ASYNC)
        saves->host_bytes = busiest(job, saving->writers).bytes;
    saves->load_s = saves->read.total_s + saves->hand_round_s;
    return run_peers(saving, job, saves, error);
}
