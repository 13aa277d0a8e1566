/* SPDX-License-Identifier: Apache-2.0 */
/* A warehouse on two real shards for a test: servers of ClickHouse that tools/clickhouse starts in a folder under /tmp. */
#ifndef KITH_TESTS_SUPPORT_CLUSTER_HOUSE_H
#define KITH_TESTS_SUPPORT_CLUSTER_HOUSE_H

#include "support/warehouse_house.h"

#define CLUSTER_SHARDS 2

/* Why no cluster can run here, or NULL. */
const char *cluster_house_missing(void);
/* Start the servers, once for the program, and open a warehouse on them. Fails the test with the reason. */
void cluster_house_start(struct warehouse_house *house);
/* Open it again (the servers live on); the user and the password are those of the servers' configuration. */
void cluster_house_open(struct warehouse_house *house);
/* Where the shards are, as --warehouse takes it. */
const char *cluster_house_url(void);
/* End a shard as a crash would; start what is not there. */
void cluster_house_kill(int shard);
void cluster_house_again(void);
/* Close the warehouse, end the servers, remove their folder. */
void cluster_house_remove(struct warehouse_house *house);
/* What a shard itself says, past the client. */
uint64_t cluster_house_shard_number(int shard, const char *sql);
/* The shard forgets what it is, as one does whose disk was lost; and knows it again. */
void cluster_house_forget(int shard);
void cluster_house_remember(int shard);

#endif
