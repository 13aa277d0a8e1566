/* SPDX-License-Identifier: Apache-2.0 */
/* schema: the API's types. Made from src/server/openapi.json by `npm run api:generate`; do not edit. */
/* eslint-disable */
export interface paths {
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** who is signed in */
        get: operations["getSession"];
        put?: never;
        /** sign in */
        post: operations["signIn"];
        /** sign out */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** change one's own password; ends the other sessions */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** sessions and tokens of one's own; of all for administrators */
        get: operations["listTokens"];
        put?: never;
        /** make a token with one's own rights, or fewer */
        post: operations["createToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{prefix}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** take a token back */
        delete: operations["deleteToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** all users */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{login}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a user */
        get: operations["getUser"];
        /** make or change a user; a new one needs password and role */
        put: operations["putUser"];
        post?: never;
        /** delete a user and end all her tokens */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** all servers at the log, as each said last; those of the last seven days */
        get: operations["listServers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** positions, memory, counts */
        get: operations["getSystem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** figures of the first page */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** move the virtual clock */
        post: operations["advanceClock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** points of the backup folder, and how far the running one is */
        get: operations["listBackups"];
        put?: never;
        /** take a point while everything goes on */
        post: operations["createBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** who did what, newest first */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** all settings */
        get: operations["listSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one setting */
        get: operations["getSetting"];
        /** change a setting */
        put: operations["putSetting"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** this document */
        get: operations["getOpenapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** 200 while the process lives */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** 200 when it takes events and answers, else 503 */
        get: operations["getReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus text */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** find customers; all, newest first, without a query */
        get: operations["searchCustomers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/by/{type}/{value}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the customer whom an identifier leads to */
        get: operations["getCustomerByIdentifier"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one customer; who was merged away answers with the customer she became */
        get: operations["getCustomer"];
        put?: never;
        post?: never;
        /** forget a customer: all of her, in every store; what she did stays in the sums of all */
        delete: operations["eraseCustomer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** timeline, newest first */
        get: operations["listCustomerEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** nodes, identifiers, and what links them */
        get: operations["getCustomerGraph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/merges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** merges that made this customer, newest first */
        get: operations["listCustomerMerges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** why this is one person */
        get: operations["explainCustomer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/memberships": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** segments she is in and tags that she has, since when and by what cause */
        get: operations["listCustomerMemberships"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/split": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** take a merge back */
        post: operations["splitCustomer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** join two customers by hand */
        post: operations["mergeCustomers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/consent/{purpose}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** record a consent or its withdrawal */
        put: operations["putConsent"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the identity rules */
        get: operations["listIdentifierTypes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/types/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** change a rule; new events follow it at once */
        put: operations["putIdentifierType"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/whatif": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** who would merge or split under changed rules */
        post: operations["whatifIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** judge old evidence under the present rules, or under changed ones that hold from this record on */
        post: operations["applyIdentityRules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/refusals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** links that were refused, newest first */
        get: operations["listRefusals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/refusals/{id}/decide": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** decide a refused link */
        post: operations["decideRefusal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/suggestions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** pairs that may be one person */
        get: operations["listSuggestions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity/link-rate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * share of each channel's customers who are known beyond it
         * @description Of the customers with events in a channel, those are linked who have a stated identifier of another kind than the channel's own: a Tmall buyer with a phone, a visitor of the web shop with a WeChat unionid. What a browser or device calls itself never counts; docs/identity.md has the table.
         */
        get: operations["getLinkRate"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the last events at the doors and what became of them, oldest first */
        get: operations["listLiveEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/live/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the same as server-sent events: `event: live`, data a LiveEvent; an entry comes again when its outcome is known */
        get: operations["streamLiveEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** all sources */
        get: operations["listSources"];
        put?: never;
        /** make a source */
        post: operations["createSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one source */
        get: operations["getSource"];
        /** change a source */
        put: operations["putSource"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{key}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** a new write key; the old one stops at once */
        post: operations["rotateSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{key}/signing-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** a new secret for signed claims */
        post: operations["createSigningSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plan/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** event types with their properties */
        get: operations["listPlanEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plan/events/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one event type */
        get: operations["getPlanEvent"];
        /** plan, correct or block an event type */
        put: operations["putPlanEvent"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** traits with type and precedence */
        get: operations["listTraits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traits/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** describe a trait */
        put: operations["putTrait"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** events that broke the plan, newest first */
        get: operations["listQuarantine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** waiting events by reason, source and type */
        get: operations["summariseQuarantine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** put events back through the log */
        post: operations["replayQuarantine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** discard events */
        post: operations["discardQuarantine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** begin an upload; its parts follow by PUT */
        post: operations["createUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** where an upload stands */
        get: operations["getUpload"];
        /** a part: its bytes as they are (application/octet-stream, at most 16 MB), from `offset` on */
        put: operations["putUpload"];
        post?: never;
        /** give an upload up */
        delete: operations["deleteUpload"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** imports, newest first */
        get: operations["listImports"];
        put?: never;
        /** import a file: upload:ID or path:NAME; the same file by the same mapping again changes nothing and names the job that brought it */
        post: operations["createImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/detect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** what is in a file, and a mapping that may fit */
        post: operations["detectImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** what the first 1,000 rows would do; nothing changes */
        post: operations["previewImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/presets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** mappings for the exports of shop systems */
        get: operations["listImportPresets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/buckets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** buckets in which schedules find files, without their secret keys */
        get: operations["listBuckets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/buckets/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** make or change a bucket; without secret_key the one that is there stays */
        put: operations["putBucket"];
        post?: never;
        /** forget a bucket and its keys */
        delete: operations["deleteBucket"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** feeds from Kafka topics, and how they go; without passwords */
        get: operations["listFeeds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feeds/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a feed, and how it goes */
        get: operations["getFeed"];
        /** make or change a feed; without password the one that is there stays */
        put: operations["putFeed"];
        post?: never;
        /** forget a feed: what it brought stays */
        delete: operations["deleteFeed"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sinks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** sinks to Kafka topics, and how they go; without passwords */
        get: operations["listSinks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sinks/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a sink, and how it goes */
        get: operations["getSink"];
        /** make or change a sink, which takes customer.export too, and customer.reveal for personal: clear; without password the one that is there stays */
        put: operations["putSink"];
        post?: never;
        /** forget a sink: what it was not told is not kept for it any more */
        delete: operations["deleteSink"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** take back everything that an import brought, its merges included; what others brought stays */
        post: operations["undoImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a job and how far it is */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the same as server-sent events: `event: job`, data a Job, until it has come to its end */
        get: operations["streamJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/refused": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** refused rows with their reasons, a CSV; at most 4 MB from byte `offset` on */
        get: operations["getRefusedRows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** pause a job at its next chunk */
        post: operations["pauseJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** go on with a paused or failed job, from the row where it stood */
        post: operations["resumeJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** end a job that is not finished and take back what it brought */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/mappings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** saved mappings, all versions */
        get: operations["listMappings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/mappings/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a saved mapping, the newest version unless one is named */
        get: operations["getMapping"];
        /** save a mapping as its next version */
        put: operations["putMapping"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/watermarks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** up to when each source has told everything */
        get: operations["listWatermarks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/object-kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** described kinds of objects */
        get: operations["listObjectKinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/object-kinds/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** describe a kind of objects and its properties */
        put: operations["putObjectKind"];
        post?: never;
        /** describe a kind of objects no more; refused while there are objects of it, and while rules or other kinds speak of it */
        delete: operations["deleteObjectKind"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objects/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** objects of a kind by id; `query` looks for a text in id and properties */
        get: operations["listObjects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objects/{kind}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one object */
        get: operations["getObject"];
        /** replace an object */
        put: operations["putObject"];
        post?: never;
        /** remove an object */
        delete: operations["deleteObject"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** count a rule as it is written */
        post: operations["previewSegment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/overlap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** sizes of the intersections of segments */
        post: operations["overlapSegments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** all segments */
        get: operations["listSegments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one segment, with its size */
        get: operations["getSegment"];
        /** define a segment; computed for everybody at once */
        put: operations["putSegment"];
        post?: never;
        /** delete a segment that nothing uses */
        delete: operations["deleteSegment"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** who is in, now or at a moment */
        get: operations["listSegmentMembers"];
        put?: never;
        /** add and remove members by hand */
        post: operations["changeSegmentMembers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** size over time, who entered and left */
        get: operations["getSegmentHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** why a customer is in, or not */
        get: operations["explainSegment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/preview-change": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** who would enter and leave, before it is saved */
        post: operations["previewSegmentChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** all tags */
        get: operations["listTags"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one tag, with its size */
        get: operations["getTag"];
        /** define a tag; computed for everybody at once */
        put: operations["putTag"];
        post?: never;
        /** delete a tag that nothing uses */
        delete: operations["deleteTag"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** who is in, now or at a moment */
        get: operations["listTagMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** size over time, who entered and left */
        get: operations["getTagHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** why a customer is in, or not */
        get: operations["explainTag"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}/preview-change": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** who would enter and leave, before it is saved */
        post: operations["previewTagChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}/values": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** give values by hand, file or model */
        post: operations["changeTagValues"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/profile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what distinguishes its members from everybody */
        get: operations["profileSegment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** why a rule that is not saved holds of a customer, or not */
        post: operations["explainRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the language of rules, for editors */
        get: operations["getRuleCatalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objects/{kind}/{id}/tags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tags and lists of one object */
        get: operations["getObjectTags"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** begin to write the members to a file */
        post: operations["exportSegment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags/{key}/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** begin to write the members to a file */
        post: operations["exportTag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** exports, newest first */
        get: operations["listExports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one export: how far it is */
        get: operations["getExport"];
        put?: never;
        post?: never;
        /** cancel it, or remove its file */
        delete: operations["deleteExport"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/{id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the file */
        get: operations["getExportFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/{key}/reach": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** how many of a segment can be contacted by each channel */
        get: operations["getSegmentReach"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/segments/map": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** how much all pairs of up to 500 segments overlap */
        post: operations["mapSegments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/touches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** touches, newest first */
        get: operations["listTouches"];
        put?: never;
        /** ask for touches by hand; each passes the gates */
        post: operations["sendTouches"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/touches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one touch with its whole story */
        get: operations["getTouch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/touches/{id}/decide": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** say what became of an uncertain touch, or cancel one that waits */
        post: operations["decideTouch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/touch-corrections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what should, or should not, have been sent as is known by now */
        get: operations["listTouchCorrections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/reach": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** by which accounts she can be reached now for marketing, and why not by others */
        get: operations["getReach"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/pauses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** why no marketing goes to her, since when, until when; also what is over, the newest first */
        get: operations["listPauses"];
        put?: never;
        /** marketing to her rests from now on; what waits is suppressed; again: another end and reason */
        post: operations["pauseMarketing"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/pauses/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** this pause ends now, whoever made it; others of hers hold on */
        delete: operations["liftPause"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** templates */
        get: operations["listTemplates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what the language of templates has: tags, operators, filters, and its limits */
        get: operations["getTemplateCatalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one template, with what providers will say of it */
        get: operations["getTemplate"];
        /** a new version of a template */
        put: operations["putTemplate"];
        post?: never;
        /** delete a template */
        delete: operations["deleteTemplate"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{key}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** a template with the values of a customer */
        post: operations["previewTemplate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** accounts that messages go out by */
        get: operations["listChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one account, without its secrets */
        get: operations["getChannel"];
        /** make or change an account; secrets that are not given stay */
        put: operations["putChannel"];
        post?: never;
        /** delete an account */
        delete: operations["deleteChannel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{key}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** try an account without sending anything */
        post: operations["testChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{key}/contact-ways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** codes that customers scan to become contacts of a pool of advisers, and how many came */
        get: operations["listContactWays"];
        put?: never;
        /** a new code */
        post: operations["createContactWay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{key}/contact-ways/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** change its pool, state or remark */
        put: operations["putContactWay"];
        post?: never;
        /** nobody comes by it any more */
        delete: operations["deleteContactWay"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channel-kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** kinds of accounts with their settings */
        get: operations["listChannelKinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the sending policy */
        get: operations["getPolicy"];
        /** change the sending policy */
        put: operations["putPolicy"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policy/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** what a draft would have done to the touches of the last days and to those that wait; nothing is changed */
        post: operations["previewPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/gates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the gates that every touch passes */
        get: operations["listGates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what is stopped */
        get: operations["getStops"];
        put?: never;
        /** stop all sends, or those of a channel, account or journey; or go on */
        post: operations["putStop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tasks of the call centre */
        get: operations["listTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** take a task, give it back, or tell its result */
        post: operations["changeTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/coupon-pools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** pools of coupon codes */
        get: operations["listCouponPools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/coupon-pools/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** make a pool, add codes */
        put: operations["putCouponPool"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/l/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a short link: counted, and led on */
        get: operations["followLink"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/u/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the page with the button */
        get: operations["showUnsubscribe"];
        put?: never;
        /** refuse the channel of this message, with one click */
        post: operations["unsubscribe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/{account}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a provider checks the address */
        get: operations["verifyHook"];
        put?: never;
        /** callbacks of a provider: receipts and events */
        post: operations["receiveHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** journeys */
        get: operations["listJourneys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** kinds of triggers and nodes with their members */
        get: operations["getJourneyCatalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/library": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** ready journeys */
        get: operations["listReadyJourneys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a journey: its draft, or a version */
        get: operations["getJourney"];
        /** save a draft */
        put: operations["putJourney"];
        post?: never;
        /** delete a journey that nobody is in */
        delete: operations["deleteJourney"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/publish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** make the draft a version and let it go live */
        post: operations["publishJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** nobody enters, nobody moves */
        post: operations["pauseJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** it goes on */
        post: operations["resumeJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** nobody enters; who is in leaves, or finishes */
        post: operations["stopJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** a second person approves the draft */
        post: operations["approveJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/ramp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** let in only a part, or test users */
        post: operations["rampJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/enter": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** put customers or a segment into it */
        post: operations["enterJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** take a customer's position out, try it again, or put it at a node */
        post: operations["moveInJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/trial": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** one customer through it from now on, on the virtual clock; nothing is sent */
        post: operations["tryJourney"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/whatif": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** runs over past days, newest first */
        get: operations["listWhatifs"];
        put?: never;
        /** what would have happened in the last days */
        post: operations["beginWhatif"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/whatif/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one run, with its result when it is done */
        get: operations["getWhatif"];
        put?: never;
        post?: never;
        /** cancel a run, or remove one that is over */
        delete: operations["deleteWhatif"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/whatif/{id}/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a run beside what really came */
        get: operations["compareWhatif"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** per node and goal, against the control group */
        get: operations["getJourneyReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/journeys/{key}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** why in, why not, where, what next and when */
        get: operations["explainJourney"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calendar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what went out and what will, by day, from which journey, by which channel */
        get: operations["getCalendar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/journeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a customer's positions in journeys */
        get: operations["listCustomerJourneys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the teams that the caller sees */
        get: operations["listTeams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a team and its rules */
        get: operations["getTeam"];
        /** make or change a team; its view is in force when the answer comes */
        put: operations["putTeam"];
        post?: never;
        /** delete a team that nobody is in and none is below */
        delete: operations["deleteTeam"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/shares": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what is shared with whom */
        get: operations["listShares"];
        /** share a thing with a team (read, use, change), or take it back (none) */
        put: operations["putShare"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{login}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** end all sessions of a user but the one that asks; others' need token.administer */
        delete: operations["endUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** ready roles, then your own */
        get: operations["listRoles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/roles/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** a role */
        get: operations["getRole"];
        /** make or change a role of your own */
        put: operations["putRole"];
        post?: never;
        /** delete a role that nobody has */
        delete: operations["deleteRole"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/permissions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** everything that can be permitted */
        get: operations["listPermissions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** compute the chain of the audit again */
        get: operations["verifyAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the audit as a file, newest first, at most a million lines */
        get: operations["exportAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** confirm it by a first code; shows recovery codes once, and ends all other sessions */
        put: operations["putSecondFactor"];
        /** begin a second factor: a secret for an authenticator */
        post: operations["beginSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/second-factor/remove": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** take away one's second factor */
        post: operations["removeSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{login}/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** take away a user's second factor */
        delete: operations["deleteUserSecondFactor"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** how one may sign in */
        get: operations["listSignInMethods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/single-sign-on": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** to the provider of single sign-on */
        get: operations["beginSingleSignOn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/single-sign-on/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** back from the provider, signed in */
        get: operations["endSingleSignOn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/single-sign-on": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** how single sign-on is set up */
        get: operations["getSingleSignOn"];
        /** set single sign-on up */
        put: operations["putSingleSignOn"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** erasures, newest first */
        get: operations["listErasures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/erasures/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** an erasure, how far it is, and its receipt */
        get: operations["getErasure"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the keys that seal personal data, and how far sealing anew is */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** a new key seals from now on; a job seals anew what there is */
        post: operations["rotateKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** this key and those before it are not used any more, from the next start on */
        delete: operations["deleteKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** how long what is kept is kept, and the last run that removed what was older */
        get: operations["getRetention"];
        /** say how long what is kept is kept; runs twice a day go by it from then on */
        put: operations["putRetention"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/retention/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** remove now what is too old; or say how much would go, and remove nothing */
        post: operations["runRetention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/tombstones/lift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** somebody who was erased comes back of her own will: what happens from now on is taken again */
        post: operations["liftTombstone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** how erasures stand, and what erased customers had done in all */
        get: operations["getPrivacy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/find": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** customers for whom a rule holds, newest first */
        post: operations["findCustomers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one's own saved views, and those that others share */
        get: operations["listViews"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** save a view of one's own; at most 100 */
        put: operations["putView"];
        post?: never;
        /** delete a view of one's own */
        delete: operations["deleteView"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/today": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** orders and net revenue of the day so far */
        get: operations["getToday"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what people asked for, newest first; open ones with their due day */
        get: operations["listPersonRequests"];
        put?: never;
        /** somebody asked for one of her rights */
        post: operations["createPersonRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** one request */
        get: operations["getPersonRequest"];
        put?: never;
        /** who sees to it, how far it is, what came of it */
        post: operations["changePersonRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/requests/{id}/perform": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** do it: erase, restrict, withdraw all consents, or, as a second person, release a child whose guardian agreed; access and portability are answered by a package, corrections by hand */
        post: operations["performPersonRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/requests/{id}/package": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** the file: customer.json (machine-readable), events.jsonl, customer.html */
        get: operations["getPersonPackage"];
        put?: never;
        /** all that is known of her in one file: kept sealed, and removed after privacy.package_days (7) */
        post: operations["makePersonPackage"];
        /** remove the file now */
        delete: operations["deletePersonPackage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/consents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** what she decided, each time, with source, text and proof */
        get: operations["listConsents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/restriction": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** restriction of processing: her data are kept and not used (no journeys, sends, exports), or may be used again */
        put: operations["putRestriction"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/traits/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** correct a trait by hand: it holds against what sources say, also later */
        put: operations["correctTrait"];
        post?: never;
        /** take a correction back: the sources speak again */
        delete: operations["releaseTrait"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/identifiers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** give a customer an identifier by hand: as an event of a trusted source would, but what is another customer's stays there (409) */
        post: operations["addIdentifier"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/identifiers/{row}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** take a wrong identifier off a customer: a strong one becomes a customer of its own, and the two stay apart; a weak one is whoever's who uses it next */
        delete: operations["partIdentifier"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/customers/{one_id}/preferences-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** the address of her preference page, signed: it needs no sign-in */
        post: operations["makePreferencesLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/p/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** her preference page */
        get: operations["showPreferences"];
        put?: never;
        /** one click on it: agree to a purpose, or withdraw it, or all */
        post: operations["putPreferences"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/sensitive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** traits that are not used before a second person has released them */
        get: operations["listSensitiveTraits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/sensitive/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** a trait is sensitive (health, faith, children …): no rule, tag, segment, journey, template or export uses it */
        put: operations["putSensitiveTrait"];
        post?: never;
        /** no longer sensitive: after it was released */
        delete: operations["deleteSensitiveTrait"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/privacy/sensitive/{name}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** the first person who says so asks, a second one releases it */
        post: operations["releaseSensitiveTrait"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457 */
        Problem: {
            /** @description URI of the problem type; its last part is `code` */
            type: string;
            title: string;
            status: number;
            /** @description what went wrong, naming thing and value */
            detail: string;
            /** @description one of docs/errors.md */
            code: string;
            errors?: {
                /** @description JSON pointer into the request */
                pointer: string;
                detail: string;
            }[];
            /** @description what to do about it */
            hint?: string;
            /** @description with 503, while something is read for the first time: which part of it is there */
            progress?: number;
            /** @description number of this request, as in the server's log */
            instance?: string;
        };
        /** @description the same sentence in both languages */
        Text: {
            zh: string;
            en: string;
        };
        /**
         * @description the nearest of the words that the first clients know; see roles and permissions
         * @enum {string}
         */
        Role: "viewer" | "operator" | "administrator";
        User: {
            number: number;
            login: string;
            name: string;
            role: components["schemas"]["Role"];
            /** @description keys of roles, ready ones and your own; what they hold together is what the user may */
            roles: string[];
            /** @description null: all teams */
            team: string | null;
            /** @description zh-CN or en-US */
            locale: string;
            /** @description what may be done with this session or token, as kind.action */
            permissions: string[];
        };
        UserEntry: {
            number: number;
            login: string;
            name: string;
            role: components["schemas"]["Role"];
            /** @description keys of roles, ready ones and your own; what they hold together is what the user may */
            roles: string[];
            /** @description null: all teams */
            team: string | null;
            locale: string;
            disabled: boolean;
            /** Format: date-time */
            created_at: string;
            /** @description asks for a code at sign-in */
            second_factor: boolean;
            /** @description is known at the provider of single sign-on */
            single_sign_on: boolean;
            /** @description the adviser that she is, $me in rules; empty: her login */
            adviser?: string;
        };
        UserPut: {
            name?: string;
            /** @description at least 8 characters, none of the common ones */
            password?: string;
            /** @description one role instead of roles; viewer means analyst */
            role?: string;
            /** @enum {string} */
            locale?: "zh-CN" | "en-US";
            disabled?: boolean;
            /** @description keys of roles, ready ones and your own; what they hold together is what the user may */
            roles?: string[];
            /** @description key of a team; null: all teams */
            team?: string | null;
            /** @description who she is at the provider of single sign-on: issuer, space, subject; empty: nobody */
            subject?: string;
            /** @description the adviser that she is, as customers have it (adviser_id): $me in rules; empty: her login */
            adviser?: string;
        };
        Session: {
            user: components["schemas"]["User"];
            server: {
                version: string;
                /** @description `POST /clock` is allowed */
                virtual_clock: boolean;
                /** @description time zone of the workspace */
                zone: string;
                /**
                 * Format: date-time
                 * @description the server's wall clock
                 */
                now: string;
                /** @description `reveal=true` is permitted to this user */
                may_reveal: boolean;
            };
            second_factor: boolean;
            /** @description how many are left */
            recovery_codes: number;
            /** @description this session may do nothing but set up a second factor */
            must_enrol: boolean;
        };
        Token: {
            /** @description first characters, enough to tell it apart */
            prefix: string;
            name: string;
            /** @enum {string} */
            kind: "session" | "token";
            login: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description of sessions, since the server's start
             */
            used_at: string | null;
            address: string | null;
            agent: string | null;
            /** @description the one that asks */
            is_this: boolean;
            /** @description what it may do at most; null: all that its user may */
            permissions: string[] | null;
        };
        NewToken: {
            /** @description shown once */
            token: string;
            prefix: string;
            name: string;
            /** Format: date-time */
            expires_at: string | null;
        };
        System: {
            version: string;
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            as_of: string;
            log: {
                first_seq: number;
                last_seq: number;
                bytes: number;
            };
            engine: {
                applied_seq: number;
                committed_seq: number;
                flushed_seq: number;
                /** @description records durable and not yet applied */
                lag: number;
            };
            warehouse: {
                ready: boolean;
                unflushed_rows: number;
                /** @description of a ClickHouse cluster; empty when it is embedded */
                shards: {
                    url: string;
                    ready: boolean;
                }[];
            };
            memory: {
                name: string;
                bytes: number;
            }[];
            counts: {
                customers: number;
                identifiers: number;
                events: number;
                duplicates: number;
                quarantined: number;
            };
            /** @description why the server is not well; empty when it is */
            failing: string;
        };
        Overview: {
            /** Format: date-time */
            as_of: string;
            customers: number;
            /** @description customers with a strong identifier */
            identified: number;
            identifiers: number;
            events: number;
            /** @description over the last ten seconds */
            events_per_second: number;
            /** @description waiting in quarantine */
            quarantined: number;
            merges_today: number;
            refusals_open: number;
            /** @description the last 24 hours, oldest first */
            by_hour: {
                /**
                 * Format: date-time
                 * @description its start
                 */
                hour: string;
                events: number;
            }[];
            /** @description all time, most events first */
            by_channel: {
                channel: string;
                events: number;
                customers: number;
            }[];
            /** @description the warehouse did not answer: by_hour and by_channel are of what is in memory alone */
            partial: boolean;
            /** @description the caller sees a part: customers are those whom she sees, the rest is not counted */
            withheld?: boolean;
        };
        IdentifierShort: {
            type: string;
            /** @description masked where it names a person */
            value: string;
        };
        Identifier: {
            type: string;
            namespace: string;
            /** @description masked where it names a person, unless revealed */
            value: string;
            verified: boolean;
            /** @description key of the source that brought it first */
            source: string;
            /** Format: date-time */
            first_seen: string;
            /** Format: date-time */
            last_seen: string;
            /** @description one_id of the node at which it is at home; differs from the customer's after a merge */
            node: string;
            /** @description number of the identifier; stable */
            row: number;
        };
        Consent: {
            /** @enum {string} */
            state: "granted" | "withdrawn";
            /** Format: date-time */
            at: string;
            source: string;
        };
        Summary: {
            events: number;
            /** @description paid, not wholly refunded or cancelled */
            orders: number;
            /** @description net of refunds, minor units */
            revenue: number;
            /** @description minor units */
            refunded: number;
            /** @description ISO 4217; empty without orders */
            currency: string;
            /** Format: date-time */
            first_order_at: string | null;
            /** Format: date-time */
            last_order_at: string | null;
            /** Format: date-time */
            first_seen_at: string | null;
            /** Format: date-time */
            last_seen_at: string | null;
            /** @description orders paid in other currencies */
            other_currencies?: {
                currency: string;
                orders: number;
                revenue: number;
                refunded: number;
            }[];
            /** @description the caller does not see all events of the customer: nothing is summed */
            withheld?: boolean;
        };
        CustomerEntry: {
            one_id: string;
            name: string;
            identifiers: components["schemas"]["IdentifierShort"][];
            summary: {
                orders: number;
                revenue: number;
                currency: string;
                /** Format: date-time */
                last_seen_at: string | null;
                /** @description the caller does not see all events of the customer: nothing is summed */
                withheld?: boolean;
            };
            /**
             * Format: date-time
             * @description Null where nothing is seen that says it, as of somebody whose identifiers are another team's.
             */
            created_at: string | null;
            /** @description with columns=traits: current value by name; personal ones masked */
            traits?: {
                [key: string]: unknown;
            };
            /** @description with columns=tags */
            tags?: {
                [key: string]: unknown;
            };
            /** @description with columns=tags */
            segments?: string[];
        };
        CustomerList: {
            items: components["schemas"]["CustomerEntry"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
            /** @description the scan stopped at its time limit: refine the query, or go on with the cursor */
            partial: boolean;
        };
        Customer: {
            one_id: string;
            /**
             * Format: date-time
             * @description Null where nothing is seen that says it, as of somebody whose identifiers are another team's.
             */
            created_at: string | null;
            /** @description from the traits name, nickname, first and last name; empty if not known */
            name: string;
            identifiers: components["schemas"]["Identifier"][];
            /** @description current value by name; personal ones masked */
            traits: {
                [key: string]: unknown;
            };
            trait_origins: {
                [key: string]: {
                    source: string;
                    /** Format: date-time */
                    at: string;
                    /** @description corrected by hand: no source speaks against it */
                    by_hand?: boolean;
                };
            };
            tags: {
                [key: string]: unknown;
            };
            segments: string[];
            /** @description by purpose */
            consent: {
                [key: string]: components["schemas"]["Consent"];
            };
            summary: components["schemas"]["Summary"];
            /** @description true: a child by her birthday, which two persons have not released; what names her is not told (docs/privacy.md). Left out of others */
            under_14?: boolean;
            /** Format: date-time */
            as_of: string;
        };
        TimelineEvent: {
            seq: number;
            type: string;
            /** @description track, identify, page, screen, group, alias, bind, unbind, profile, object */
            kind: string;
            channel: string;
            /** @description key of the source */
            source: string;
            /** Format: date-time */
            time: string;
            /** Format: date-time */
            received_at: string;
            origin: components["schemas"]["IdentifierShort"] | null;
            /** @description one_id of the node that it belongs to */
            node: string;
            props: {
                [key: string]: unknown;
            };
            context: {
                [key: string]: unknown;
            };
        };
        Timeline: {
            items: components["schemas"]["TimelineEvent"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
            /** @description the warehouse did not answer: only events in memory are shown */
            partial: boolean;
        };
        Graph: {
            nodes: {
                id: string;
                /** @enum {string} */
                kind: "customer" | "identifier";
                type?: string;
                value?: string;
                verified?: boolean;
                one_id?: string;
                /** Format: date-time */
                first_seen?: string;
            }[];
            links: {
                from: string;
                to: string;
                cause: string;
                source: string;
                /** Format: date-time */
                at: string;
                seq: number;
            }[];
        };
        Merge: {
            id: number;
            /** @description one_id */
            survivor: string;
            /** @description one_id */
            absorbed: string;
            /** Format: date-time */
            at: string;
            source: string;
            cause: string;
            identifier: components["schemas"]["IdentifierShort"] | null;
            with: components["schemas"]["IdentifierShort"] | null;
            /** Format: date-time */
            undone_at: string | null;
            /** @description login */
            undone_by: string | null;
        };
        MergeList: {
            items: components["schemas"]["Merge"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        Refusal: {
            id: number;
            /** Format: date-time */
            at: string;
            reason: string;
            /** @description how often it was refused */
            times: number;
            identifier: components["schemas"]["IdentifierShort"] | null;
            with: components["schemas"]["IdentifierShort"] | null;
            /** @description one_id */
            customer: string | null;
            /** @description one_id */
            other: string | null;
            detail: string;
            source: string;
            /** @enum {string} */
            status: "open" | "merged" | "separated" | "dismissed";
            decided_by?: string | null;
            /**
             * @description how it was closed: by a person, or because the two became one customer for another reason
             * @enum {string|null}
             */
            cause?: "review" | "one_customer" | null;
        };
        RefusalList: {
            items: components["schemas"]["Refusal"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        Explain: {
            one_id: string;
            sentences: components["schemas"]["Text"][];
            identifiers: {
                type: string;
                value: string;
                /** Format: date-time */
                since: string;
                why: string;
                source: string;
            }[];
            merges: components["schemas"]["Merge"][];
            refusals: components["schemas"]["Refusal"][];
        };
        OneId: {
            one_id: string;
        };
        SplitResult: {
            customer: components["schemas"]["OneId"];
            other: components["schemas"]["OneId"];
        };
        IdentifierType: {
            name: string;
            label: components["schemas"]["Text"];
            /** @description merges; a weak one only finds */
            strong: boolean;
            /** @description merges only when verified */
            verification: boolean;
            /** @description how many one customer may hold, per namespace */
            limit: number;
            /** @description the limit counts within so many days; 0: for ever */
            window_days: number;
            /** @enum {string} */
            over_limit: "refuse" | "drop_oldest";
            /** @description held by so many customers it counts as shared; 0: never */
            shared_after: number;
            /** @description values that are nobody's */
            blocked: string[];
            /** @description PCRE */
            blocked_patterns: string[];
            /** @description how many there are */
            identifiers: number;
            builtin: boolean;
        };
        IdentifierTypeList: {
            items: components["schemas"]["IdentifierType"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        IdentifierTypePut: {
            label?: components["schemas"]["Text"];
            strong?: boolean;
            verification?: boolean;
            limit?: number;
            window_days?: number;
            /** @enum {string} */
            over_limit?: "refuse" | "drop_oldest";
            shared_after?: number;
            blocked?: string[];
            blocked_patterns?: string[];
        };
        IdentifierTypeChange: {
            name: string;
            label?: components["schemas"]["Text"];
            strong?: boolean;
            verification?: boolean;
            limit?: number;
            window_days?: number;
            /** @enum {string} */
            over_limit?: "refuse" | "drop_oldest";
            shared_after?: number;
            blocked?: string[];
            blocked_patterns?: string[];
        };
        WhatIf: {
            merges: {
                count: number;
                samples: {
                    /** @description one_id */
                    a: string;
                    /** @description one_id */
                    b: string;
                    because: string;
                }[];
            };
            splits: {
                count: number;
                samples: {
                    /** @description one_id */
                    a: string;
                    /** @description one_id */
                    b: string;
                    because: string;
                }[];
            };
            evaluated_links: number;
            elapsed_ms: number;
        };
        RulesApplied: {
            merges: number;
            splits: number;
        };
        Suggestion: {
            a: {
                one_id: string;
                name: string;
            };
            b: {
                one_id: string;
                name: string;
            };
            /** @description 0 to 1 */
            score: number;
            reasons: components["schemas"]["Text"][];
        };
        SuggestionList: {
            items: components["schemas"]["Suggestion"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        LinkRateList: {
            items: {
                channel: string;
                customers: number;
                /** @description also known in another channel, or by a strong identifier */
                linked: number;
                /** @description 0 to 1 */
                rate: number;
            }[];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
            partial: boolean;
        };
        LiveEvent: {
            id: number;
            /** Format: date-time */
            at: string;
            /** @description key of the source; empty if the request named none */
            source: string;
            door: string;
            type: string;
            /** @description as it came, cut at 16 KB; personal values masked */
            raw: string;
            /**
             * @description erased: about somebody who was erased, and not taken; unknown: too long ago to be told
             * @enum {string}
             */
            outcome: "applied" | "duplicate" | "quarantined" | "erased" | "refused" | "pending" | "unknown";
            reason: string;
            one_id: string | null;
            /** @description made a new customer */
            created: boolean;
            merges: number;
        };
        LiveList: {
            items: components["schemas"]["LiveEvent"][];
            /** @description hand it to `after` */
            next_after: number;
            /** Format: date-time */
            as_of: string;
        };
        Source: {
            key: string;
            name: string;
            /** @enum {string} */
            kind: "server" | "public";
            protocol: string;
            /** @description default channel; empty: told by the event */
            channel: string;
            /** @description what the plan does not know goes to quarantine */
            strict: boolean;
            disabled: boolean;
            /** @description the doors take no more of it; 0: no limit */
            events_per_second: number;
            /** @description public sources only */
            write_key: string | null;
            /** @description last four characters of the key when it is known */
            write_key_hint: string;
            /** @description claims may be signed */
            signing: boolean;
            /** Format: date-time */
            created_at: string;
            events_today: number;
            /** Format: date-time */
            last_event_at: string | null;
            /** Format: date-time */
            watermark: string | null;
            /**
             * @description what the doors do with an event of somebody who has not agreed to be recorded (docs/privacy.md)
             * @enum {string}
             */
            without_consent?: "keep" | "drop" | "anonymise";
            /** @description what has to be agreed to: context.consent.categoryPreferences; default analytics */
            consent_category?: string;
        };
        SourceList: {
            items: components["schemas"]["Source"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        NewSource: {
            key: string;
            name: string;
            /** @enum {string} */
            kind: "server" | "public";
            protocol: string;
            /** @description default channel; empty: told by the event */
            channel: string;
            /** @description what the plan does not know goes to quarantine */
            strict: boolean;
            disabled: boolean;
            /** @description the doors take no more of it; 0: no limit */
            events_per_second: number;
            /** @description of a server source shown once */
            write_key: string;
            /** @description last four characters of the key when it is known */
            write_key_hint: string;
            /** @description claims may be signed */
            signing: boolean;
            /** Format: date-time */
            created_at: string;
            events_today: number;
            /** Format: date-time */
            last_event_at: string | null;
            /** Format: date-time */
            watermark: string | null;
            /**
             * @description what the doors do with an event of somebody who has not agreed to be recorded (docs/privacy.md)
             * @enum {string}
             */
            without_consent?: "keep" | "drop" | "anonymise";
            /** @description what has to be agreed to: context.consent.categoryPreferences; default analytics */
            consent_category?: string;
        };
        SourcePost: {
            key: string;
            name?: string;
            /** @enum {string} */
            kind: "server" | "public";
            /** @enum {string} */
            protocol?: "segment" | "sensors" | "files" | "other";
            channel?: string;
            strict?: boolean;
            events_per_second?: number;
            /**
             * @description what the doors do with an event of somebody who has not agreed to be recorded (docs/privacy.md)
             * @enum {string}
             */
            without_consent?: "keep" | "drop" | "anonymise";
            /** @description what has to be agreed to: context.consent.categoryPreferences; default analytics */
            consent_category?: string;
        };
        SourcePut: {
            name?: string;
            /** @enum {string} */
            protocol?: "segment" | "sensors" | "files" | "other";
            channel?: string;
            strict?: boolean;
            disabled?: boolean;
            events_per_second?: number;
            /**
             * @description what the doors do with an event of somebody who has not agreed to be recorded (docs/privacy.md)
             * @enum {string}
             */
            without_consent?: "keep" | "drop" | "anonymise";
            /** @description what has to be agreed to: context.consent.categoryPreferences; default analytics */
            consent_category?: string;
        };
        WriteKey: {
            /** @description shown once; the old one no longer works */
            write_key: string;
        };
        SigningSecret: {
            /** @description shown once; HMAC-SHA256 of the user id with it, in hex, signs a claim */
            signing_secret: string;
        };
        PlanProperty: {
            name: string;
            /** @description text, int, decimal, money, bool, time, list, object */
            type: string;
            required?: boolean;
            /** @description allowed values; empty: any */
            values?: unknown[];
        };
        PlanEvent: {
            name: string;
            /** @description learnt, planned or blocked */
            status: string;
            description?: string;
            properties: components["schemas"]["PlanProperty"][];
        };
        PlanEventList: {
            items: components["schemas"]["PlanEvent"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        PlanEventPut: {
            /** @enum {string} */
            status?: "planned" | "learnt" | "blocked";
            description?: string;
            properties?: {
                name: string;
                type?: string;
                required?: boolean;
                values?: unknown[];
            }[];
        };
        TraitType: {
            name: string;
            type: string;
            /** @description newest, oldest, source_rank, sum, union */
            precedence?: string;
            description?: string;
            personal?: boolean;
        };
        TraitTypeList: {
            items: components["schemas"]["TraitType"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        TraitTypePut: {
            type?: string;
            precedence?: string;
            description?: string;
            personal?: boolean;
        };
        Quarantined: {
            id: number;
            /** Format: date-time */
            at: string;
            source: string;
            type: string;
            reason: string;
            detail: string;
            /** @description the event in its normal form; personal values masked */
            event: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "waiting" | "replayed" | "discarded";
        };
        QuarantineList: {
            items: components["schemas"]["Quarantined"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        QuarantineSummary: {
            items: {
                reason: string;
                source: string;
                type: string;
                count: number;
                /** Format: date-time */
                last_at: string;
            }[];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
            partial: boolean;
        };
        /** @description either ids, or what all waiting ones have in common */
        QuarantineChoice: {
            ids?: number[];
            reason?: string;
            source?: string;
            type?: string;
        };
        /** @description either ids, or what all waiting ones have in common */
        QuarantineReplay: {
            ids?: number[];
            reason?: string;
            source?: string;
            type?: string;
            /** @description changes every chosen event before it goes through the log again */
            correction?: {
                /** @description another name */
                event?: string;
                /** @description when it happened; RFC 3339 */
                time?: string;
                /** @description old name of a property to its new one */
                rename?: {
                    [key: string]: string;
                };
                /** @description properties and their values */
                set?: {
                    [key: string]: unknown;
                };
                remove?: string[];
            };
        };
        AuditEntry: {
            seq: number;
            /** Format: date-time */
            at: string;
            /** @description login; 'system' for the server itself */
            user: string;
            action: string;
            object: string;
            detail: string;
            /** @description from where; empty when the server itself did it */
            address: string;
        };
        AuditList: {
            items: components["schemas"]["AuditEntry"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        Setting: {
            key: string;
            value: unknown;
        };
        SettingList: {
            items: components["schemas"]["Setting"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        Upload: {
            id: string;
            name: string;
            size_bytes: number;
            offset: number;
            complete: boolean;
            sha256: string;
        };
        UploadPost: {
            name: string;
            size_bytes: number;
        };
        Job: {
            id: number;
            /** @enum {string} */
            kind: "import";
            /** @enum {string} */
            status: "waiting" | "running" | "paused" | "finished" | "failed" | "undoing" | "undone" | "cancelled";
            reason: string;
            source_number: number;
            name: string | null;
            file: string | null;
            source: string | null;
            data_set: string | null;
            mapping_key: string | null;
            mapping_version: number | null;
            sha256: string | null;
            size_bytes: number | null;
            told_until: string | null;
            form: Record<string, never> | null;
            mapping: Record<string, never> | null;
            /** @description of who made it; its members see and steer it. Null: of none */
            team?: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            changed_at: string;
            counts: {
                rows: number;
                events: number;
                refused: number;
                duplicates: number;
                replaced: number;
                applied: number;
                quarantined: number;
                customers: number;
                merges: number;
                /** @description applied, quarantined, customers and merges are 0: for somebody of a team, since they depend on what others have told */
                withheld?: boolean;
            };
            progress: {
                stage: string;
                rows: number;
                bytes: number;
                bytes_total: number;
                rows_per_second: number;
                seconds_left: number | null;
            };
        };
        JobList: {
            items: components["schemas"]["Job"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        ImportMade: {
            id: number;
            unchanged: boolean;
            job: components["schemas"]["Job"];
        };
        ImportPost: {
            file: string;
            form?: Record<string, never>;
            mapping?: Record<string, never>;
            mapping_key?: string;
            mapping_version?: number;
            name?: string;
            source?: string;
            data_set?: string;
            told_until?: string;
        };
        ImportLook: {
            file: string;
            form?: Record<string, never>;
            mapping?: Record<string, never>;
            mapping_key?: string;
            mapping_version?: number;
            /** @description as which it would be imported: rows that a team could not tell as its own source are refused */
            source?: string;
        };
        ImportDetected: {
            name: string;
            size_bytes: number;
            form: Record<string, never>;
            columns: string[];
            sample: string[][];
            mapping: Record<string, never> | null;
            preset: string;
            score: number;
        } & {
            [key: string]: unknown;
        };
        ImportPreview: {
            rows: number;
            events: number;
            objects: number;
            refused: number;
            customers: {
                created: number;
                found: number;
                merged: number;
            };
            sample: Record<string, never>[];
            refusals: {
                row: number;
                code: string;
                reason: string;
                original: string;
            }[];
        };
        PresetList: {
            items: Record<string, never>[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        Mapping: {
            key: string;
            version: number;
            mapping: Record<string, never>;
            changed_by?: string;
            /** Format: date-time */
            changed_at?: string;
        };
        MappingList: {
            items: components["schemas"]["Mapping"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        MappingPut: {
            mapping: Record<string, never>;
        };
        Bucket: {
            key: string;
            endpoint: string;
            region: string;
            name: string;
            prefix: string;
            access_key: string;
            path_style: boolean;
            allow_private: boolean;
            /**
             * Format: date-time
             * @description when a schedule last looked into it, since the start
             */
            looked_at: string | null;
            /** @description those that fitted then */
            objects: number;
            /** @description jobs made since the start */
            fetched: number;
            /** @description empty: none */
            problem: string;
        };
        BucketPut: {
            /** @description as https://oss-cn-hangzhou.aliyuncs.com: a host alone */
            endpoint: string;
            region: string;
            name: string;
            prefix?: string;
            access_key: string;
            /** @description sealed at once, and shown to nobody */
            secret_key?: string;
            /** @description https://host/name/key instead of https://name.host/key */
            path_style?: boolean;
            /** @description the host may have a private address */
            allow_private?: boolean;
        };
        BucketList: {
            items: components["schemas"]["Bucket"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        Feed: {
            key: string;
            /** @description host:port, 1 to 16 */
            brokers: string[];
            /** @description by name, 1 to 16 */
            topics: string[];
            /** @description the name under which the brokers keep its offsets, for their own tools: no group is joined; kith-<key> if not said */
            group: string;
            /** @description the key of the source as which its events count */
            source: string;
            /**
             * @description Segment's calls (one or a batch), Sensors' records, or JSON for a saved mapping
             * @enum {string}
             */
            format: "segment" | "sensors" | "mapping";
            /** @description of format mapping: the key of a saved mapping */
            mapping: string;
            /**
             * @description where to begin when nothing was taken yet
             * @enum {string}
             */
            start: "oldest" | "newest";
            /** @description its events start no journey */
            historical: boolean;
            paused: boolean;
            tls: boolean;
            /** @description PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty: nobody signs in */
            mechanism: string;
            username: string;
            /** @enum {string} */
            state: "paused" | "connecting" | "running" | "failing" | "waiting";
            /** @description empty: none */
            problem: string;
            /** @description that it reads now */
            partitions: number;
            /** @description taken since the start */
            messages: number;
            events: number;
            /** @description messages in which something could not be read */
            refused: number;
            /** @description messages that the brokers no longer had when it came back */
            lost: number;
            /** @description messages that wait at the brokers; null: not known */
            behind: number | null;
            /** Format: date-time */
            last_at: string | null;
            last_refused: {
                topic: string;
                partition: number;
                offset: number;
                reason: string;
                /** Format: date-time */
                at: string;
            }[];
        };
        FeedPut: {
            /** @description host:port, 1 to 16 */
            brokers: string[];
            /** @description by name, 1 to 16 */
            topics: string[];
            /** @description the name under which the brokers keep its offsets, for their own tools: no group is joined; kith-<key> if not said */
            group?: string;
            /** @description the key of the source as which its events count */
            source: string;
            /**
             * @description Segment's calls (one or a batch), Sensors' records, or JSON for a saved mapping
             * @enum {string}
             */
            format: "segment" | "sensors" | "mapping";
            /** @description of format mapping: the key of a saved mapping */
            mapping?: string;
            /**
             * @description where to begin when nothing was taken yet
             * @enum {string}
             */
            start?: "oldest" | "newest";
            /** @description its events start no journey */
            historical?: boolean;
            paused?: boolean;
            tls?: boolean;
            /** @description PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty: nobody signs in */
            mechanism?: string;
            username?: string;
            /** @description sealed at once, and shown to nobody */
            password?: string;
            /** @description forget how far it has come, and begin where start says */
            restart?: boolean;
        };
        FeedList: {
            items: components["schemas"]["Feed"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        WatermarkList: {
            items: {
                source: string;
                /** Format: date-time */
                told_until: string;
                /** Format: date-time */
                changed_at: string;
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        Object: {
            kind: string;
            id: string;
            props: Record<string, never>;
            /** Format: date-time */
            updated_at: string;
        };
        ObjectList: {
            items: components["schemas"]["Object"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        ObjectPut: {
            props: Record<string, never>;
        };
        ObjectKindList: {
            items: {
                kind: string;
                settings: Record<string, never>;
                /** Format: date-time */
                changed_at: string;
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        ObjectKindPut: {
            name?: string;
            properties?: Record<string, never>;
        } & {
            [key: string]: unknown;
        };
        /** @description a tag or a segment as it is published; docs/tags.md */
        Definition: {
            key: string;
            name: string;
            folder: string;
            description: string;
            owner: string;
            kind: string;
            /** @enum {string} */
            value_type: "text" | "number" | "money" | "time" | "bool" | "texts";
            version: number;
            /** @enum {string} */
            state: "live" | "changing" | "computing";
            count: number;
            /** Format: date-time */
            as_of: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            changed_at: string;
            used_by: {
                /** @enum {string} */
                kind: "tag" | "segment" | "journey";
                key: string;
            }[];
            sizes?: {
                value: string;
                count: number;
            }[];
            edges?: {
                [key: string]: number[];
            };
            definition?: Record<string, never>;
            /** @description customer, or the kind of objects it stands on */
            on: string;
        };
        DefinitionList: {
            items: components["schemas"]["Definition"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        /** @description kind rule (default), algebra, random, static, upload, snapshot; of objects rule, static, upload */
        SegmentPut: {
            name?: string;
            folder?: string;
            description?: string;
            owner?: string;
            kind?: string;
            rule?: Record<string, never>;
            op?: string;
            of?: unknown;
            seed?: string;
            buckets?: number;
            from?: number;
            to?: number;
            /** @description customer (default), or a kind of objects */
            on?: string;
        };
        /** @description kind rule (default), stage, count, score, rfm, manual, imported, model; of objects all but score and rfm */
        TagPut: {
            name?: string;
            folder?: string;
            description?: string;
            owner?: string;
            on?: string;
            kind?: string;
            values?: Record<string, never>[];
            stages?: Record<string, never>[];
            measure?: Record<string, never>;
            parts?: Record<string, never>[];
            max?: number;
            type?: string;
            recency?: Record<string, never>;
            frequency?: Record<string, never>;
            monetary?: Record<string, never>;
            quantiles?: number;
            thresholds?: Record<string, never>;
            boxes?: Record<string, never>[];
        };
        MemberList: {
            items: string[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        MembersChange: {
            add?: (string | {
                type: string;
                value: string;
                namespace?: string;
            })[];
            remove?: (string | {
                type: string;
                value: string;
                namespace?: string;
            })[];
        };
        ValuesChange: {
            values: {
                customer?: string | {
                    type: string;
                    value: string;
                    namespace?: string;
                };
                value?: unknown;
                at?: string;
                /** @description the id, of a tag on objects */
                object?: string;
            }[];
        };
        Given: {
            changed: number;
            unknown: number;
        };
        /** @description count: at the end of each step */
        SizeHistory: {
            step_ms: number;
            points: {
                /** Format: date-time */
                at: string;
                count: number;
                entered: number;
                left: number;
            }[];
        };
        MembershipExplained: {
            holds: boolean;
            value: unknown;
            /** Format: date-time */
            as_of: string;
        } & {
            [key: string]: unknown;
        };
        SegmentPreviewPost: {
            rule: Record<string, never>;
            /** @description customer (default), or the kind of objects that is asked for */
            on?: string;
            /** @description of objects: those that events of such customers name; measure is an event condition with via */
            customers?: {
                rule?: Record<string, never>;
                measure: Record<string, never>;
            };
        };
        SegmentPreview: {
            count: number;
            partial: boolean;
            scanned: number;
            base: number;
            /** Format: date-time */
            as_of: string;
            sample: string[];
            conditions: {
                path: string;
                count: number;
            }[];
            reachable: {
                [key: string]: number;
            };
            unreachable: {
                [key: string]: {
                    [key: string]: number;
                };
            };
            elapsed_ms: number;
            on?: string;
            items?: {
                id: string;
                customers: number;
                events: number;
            }[];
        };
        ChangePreview: {
            count: number;
            partial: boolean;
            scanned: number;
            base: number;
            /** Format: date-time */
            as_of: string;
            enters: number;
            leaves: number;
            changes: number;
            entering: string[];
            leaving: string[];
            elapsed_ms: number;
        };
        OverlapPost: {
            segments: string[];
        };
        Overlap: {
            /** Format: date-time */
            as_of: string;
            segments: {
                key: string;
                count: number;
            }[];
            intersections: {
                of: string[];
                count: number;
            }[];
        };
        SegmentProfile: {
            /** Format: date-time */
            as_of: string;
            count: number;
            base: number;
            lines: {
                kind: string;
                key: string;
                value: string;
                count: number;
                base: number;
                share: number;
                base_share: number;
                lift: number;
                z: number;
                significant: boolean;
            }[];
        };
        /** @description operators, measures, windows and forms of rules; objects with what leads to them, channels; docs/rules.md */
        RuleCatalogue: {
            objects: components["schemas"]["ObjectNames"][];
            channels: {
                channel: string;
                identifier: string;
            }[];
        };
        /** @description a kind of objects, and what conditions through it are made of */
        ObjectNames: {
            kind: string;
            name: string;
            count: number;
            properties: {
                name: string;
                type: string;
                /** @description the kind whose ids it has */
                object?: string;
            }[];
            tags: {
                key: string;
                name: string;
                type: string;
                values: string[];
            }[];
            segments: {
                key: string;
                name: string;
                type: string;
                values: string[];
            }[];
            events: {
                event: string;
                via: string;
            }[];
            traits: string[];
        };
        ObjectTags: {
            kind: string;
            id: string;
            tags: Record<string, never>;
            segments: string[];
            /** Format: date-time */
            as_of: string;
        };
        /** @description how many can be contacted by each channel, and why the rest cannot */
        SegmentReach: {
            count: number;
            /** Format: date-time */
            as_of: string;
            reachable: {
                [key: string]: number;
            };
            unreachable: {
                [key: string]: {
                    [key: string]: number;
                };
            };
        };
        OverlapMapPost: {
            /** @description 2 to 500 keys; all segments of customers without it */
            segments?: string[];
        };
        OverlapMap: {
            /** Format: date-time */
            as_of: string;
            segments: {
                key: string;
                name: string;
                count: number;
            }[];
            /** @description [place of one, place of the other, how many are in both], none where nobody is */
            pairs: number[][];
            elapsed_ms: number;
        };
        ExportPost: {
            /** @enum {string} */
            format?: "csv" | "jsonl";
            /** @description of a tag: those with this value */
            value?: string;
            /** @description one_id, identifier:TYPE, trait:NAME, tag:KEY, consent:PURPOSE, segment:KEY; of objects id, prop:NAME, tag:KEY */
            columns?: string[];
        };
        Export: {
            id: string;
            /** @enum {string} */
            kind: "segment" | "tag";
            key: string;
            /** @enum {string} */
            format: "csv" | "jsonl";
            columns: string[];
            /** @enum {string} */
            state: "running" | "done" | "failed" | "cancelled";
            rows: number;
            total: number;
            bytes: number;
            revealed: boolean;
            reason: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at: string | null;
            by: string;
        };
        ExportList: {
            items: components["schemas"]["Export"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        BackupPoint: {
            number: number;
            /** Format: date-time */
            taken_at: string;
            /**
             * Format: date-time
             * @description it has everything that was received until then
             */
            until: string;
            applied_seq: number;
            log_last_seq: number;
            file_count: number;
            bytes: number;
            /** @description what was written for it; the rest was there */
            new_bytes: number;
            version: string;
        };
        Backups: {
            folder: string;
            /** @description the one that is being taken */
            running: null | {
                /** Format: date-time */
                started_at: string;
                /** @enum {string} */
                phase: "holding" | "ledger" | "log" | "files" | "warehouse" | "finishing";
                bytes_read: number;
                bytes_written: number;
            };
            /** @description why the last one failed */
            last_problem: string | null;
            /** @description newest first */
            points: components["schemas"]["BackupPoint"][];
        };
        AnyList: {
            items: Record<string, never>[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        TouchEntry: {
            id: number;
            customer: string;
            journey?: string | null;
            node?: string | null;
            campaign?: string | null;
            channel?: string | null;
            account?: string | null;
            form?: string | null;
            template?: string | null;
            purpose?: string | null;
            brand?: string | null;
            priority?: number;
            transactional?: boolean;
            test?: boolean;
            /** @enum {unknown} */
            status: "queued" | "held" | "sending" | "sent" | "delivered" | "confirmed" | "read" | "clicked" | "failed" | "suppressed" | "uncertain";
            reason?: string | null;
            /** Format: date-time */
            until?: string | null;
            /** Format: date-time */
            changed_at?: string;
            tries?: number;
            template_version?: number;
            provider_id?: string | null;
            code?: string | null;
            response?: string | null;
            position?: number;
            key?: string | null;
            order_id?: string | null;
            cost?: number;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at?: string;
        };
        Touch: {
            id: number;
            customer: string;
            journey?: string | null;
            node?: string | null;
            campaign?: string | null;
            channel?: string | null;
            account?: string | null;
            form?: string | null;
            template?: string | null;
            purpose?: string | null;
            brand?: string | null;
            priority?: number;
            transactional?: boolean;
            test?: boolean;
            /** @enum {unknown} */
            status: "queued" | "held" | "sending" | "sent" | "delivered" | "confirmed" | "read" | "clicked" | "failed" | "suppressed" | "uncertain";
            reason?: string | null;
            /** Format: date-time */
            until?: string | null;
            /** Format: date-time */
            changed_at?: string;
            tries?: number;
            template_version?: number;
            provider_id?: string | null;
            code?: string | null;
            response?: string | null;
            position?: number;
            key?: string | null;
            order_id?: string | null;
            cost?: number;
            /** Format: date-time */
            created_at?: string;
            /** Format: date-time */
            expires_at?: string;
            idempotency_key: string;
            context?: Record<string, never>;
            steps: {
                /** Format: date-time */
                at: string;
                status: string;
                reason?: string | null;
                detail?: string | null;
            }[];
        };
        TouchList: {
            items: components["schemas"]["TouchEntry"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        TouchSend: {
            customers: string[];
            campaign?: string;
            key?: string;
            channel?: string;
            account?: string;
            form?: string;
            template?: string;
            purpose?: string;
            brand?: string;
            priority?: number;
            cost?: number;
            transactional?: boolean;
            order_id?: string;
            content_key?: string;
            context?: Record<string, never>;
            test?: boolean;
            /** Format: date-time */
            not_before?: string;
            /** Format: date-time */
            expires?: string;
            /** @description default true: she was chosen by what is known of her; false: who wants no personalisation may get it */
            personalised?: boolean;
        };
        TouchAnswers: {
            items: {
                customer: string;
                id: number;
                status: string;
                reason: string | null;
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        TouchDecision: {
            /** @enum {unknown} */
            decision: "resend" | "sent" | "failed" | "cancel";
        };
        TouchCorrectionList: {
            items: {
                id: number;
                /** @enum {unknown} */
                kind: "should" | "should_not";
                touch?: number;
                customer?: string;
                journey?: string | null;
                node?: string | null;
                reason: string;
                /** Format: date-time */
                at: string;
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        ReachList: {
            items: {
                channel: string;
                account: string;
                reachable: boolean;
                reason: string;
                /** Format: date-time */
                until?: string;
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        PauseList: {
            items: {
                number: number;
                active: boolean;
                /** Format: date-time */
                since: string;
                /**
                 * Format: date-time
                 * @description null: until it is lifted
                 */
                until: string | null;
                /** Format: date-time */
                lifted_at: string | null;
                /** @description whose node paused; null: by hand, or another team's */
                journey: string | null;
                reason: string | null;
                /** @description who did so by hand */
                by: string | null;
                text: {
                    zh: string;
                    en: string;
                };
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        Template: {
            key: string;
            version: number;
            body: Record<string, never>;
            findings: Record<string, never>[];
        };
        TemplateList: {
            items: {
                key: string;
                version: number;
                body: Record<string, never>;
            }[];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        TemplatePut: {
            name?: string;
            channel: string;
            form?: string;
            purpose?: string;
            template_id?: string;
            parts: Record<string, never>;
            links?: {
                [key: string]: string;
            };
        } & {
            [key: string]: unknown;
        };
        TemplatePreviewPost: {
            customer: string;
            context?: Record<string, never>;
        };
        TemplatePreview: {
            parts: Record<string, never>;
        };
        Channel: {
            key: string;
            kind: string;
            channel: string;
            stopped?: boolean;
            queued?: number;
            settings: Record<string, never>;
            health?: Record<string, never>;
        };
        ChannelList: {
            items: components["schemas"]["Channel"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        ChannelPut: {
            kind: string;
            settings: Record<string, never>;
        };
        ContactWay: {
            id: string;
            state: string;
            remark: string;
            qr_code: string;
            skip_verify: boolean;
            users: string[];
            /** @description contacts added with its state; null: the warehouse does not answer */
            scans: number | null;
            /** @description different customers among them */
            contacts: number | null;
            /** Format: date-time */
            last_at: string | null;
        };
        ContactWayList: {
            items: components["schemas"]["ContactWay"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of?: string;
        };
        ChannelTest: Record<string, never>;
        Policy: {
            frequency?: unknown[];
            quiet_hours?: unknown[];
            budgets?: unknown[];
            consent?: unknown[];
            hold_out?: Record<string, never>;
            settle?: string;
            expires?: string;
            duplicates?: Record<string, never>;
            test_segment?: string;
            link_base?: string;
        } & {
            [key: string]: unknown;
        };
        StopPost: {
            /** @enum {unknown} */
            scope: "all" | "channel" | "account" | "journey";
            value?: string;
            why?: string;
            active?: boolean;
        };
        TaskChange: {
            /** @enum {unknown} */
            action: "take" | "release" | "result";
            result?: string;
            note?: string;
        };
        CouponPoolPut: {
            /** @enum {unknown} */
            kind: "codes" | "generated";
            prefix?: string;
            limit?: number;
            codes?: string[];
        };
        CouponPool: {
            codes: number;
            given: number;
            limit: number;
        };
        JourneyHead: {
            key: string;
            name: string;
            folder: string;
            /** @enum {string} */
            state: "draft" | "preparing" | "live" | "paused" | "finishing" | "stopped";
            live_version: number;
            next_version: number;
            draft: number;
            ramp: number;
            test_only: boolean;
            approved: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            changed_at: string;
            /** Format: date-time */
            next_run?: string;
            inside: number;
            entered: number;
        };
        /** @description docs/journeys.md; members by GET /journeys/catalogue */
        JourneyDefinition: {
            [key: string]: unknown;
        };
        Journey: {
            key: string;
            name: string;
            folder: string;
            /** @enum {string} */
            state: "draft" | "preparing" | "live" | "paused" | "finishing" | "stopped";
            live_version: number;
            next_version: number;
            draft: number;
            ramp: number;
            test_only: boolean;
            approved: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            changed_at: string;
            /** Format: date-time */
            next_run?: string;
            inside: number;
            entered: number;
            versions: {
                version: number;
                /** Format: date-time */
                published_at: string;
                inside: number;
            }[];
            journey: components["schemas"]["JourneyDefinition"];
        };
        JourneyPosition: {
            position: number;
            journey: string;
            name: string;
            version: number;
            key: string;
            node: string;
            state: string;
            /** Format: date-time */
            entered_at: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            due?: string;
        };
        Whatif: {
            id: string;
            journey: string;
            /** @enum {string} */
            state: "waiting" | "running" | "done" | "failed" | "cancelled";
            progress: number;
            created_at: string;
            finished_at?: string;
            reason?: string;
            pointer?: string;
            user_number: number;
            request: {
                [key: string]: unknown;
            };
            result?: components["schemas"]["WhatifResult"];
        };
        WhatifResult: {
            from: string;
            to: string;
            until: string;
            customers: number;
            events: number;
            elapsed_ms: number;
            threads?: number;
            processor_ms?: number;
            elapsed?: {
                [key: string]: number;
            };
            report: components["schemas"]["JourneyReport"];
            days: ({
                day: string;
                node: string;
                goal?: string;
            } & {
                [key: string]: unknown;
            })[];
            touches: {
                node: string;
                day: string;
                status: string;
                reason: string;
                count: number;
            }[];
            held: {
                node: string;
                reason: string;
                count: number;
            }[];
            totals: {
                [key: string]: number;
            };
            money: {
                amount: number;
                kinds: {
                    kind: string;
                    count: number;
                    amount: number;
                }[];
                by_day: {
                    day: string;
                    count: number;
                    amount: number;
                }[];
            };
            advisers: {
                tasks: number;
                minutes: number;
                tasks_per_day: number;
                days_over_capacity: number;
                /** @description tasks that wait for a later day */
                put_off: number;
                /** @description tasks whose day is beyond the run */
                not_done: number;
                longest_wait_days: number;
                by_day: {
                    day: string;
                    tasks: number;
                    minutes: number;
                    over_capacity: number;
                    put_off: number;
                }[];
            };
            budgets: {
                name: string;
                per: string;
                amount: number;
                spent: number;
                spent_most: number;
                used_up: number;
            }[];
            coupon_pools: {
                key: string;
                given: number;
                left?: number;
            }[];
            caps: {
                reason: string;
                cap: string;
                touches: number;
                customers: number;
                examples: {
                    one_id: string;
                    touches: number;
                }[];
            }[];
            examples: {
                one_id: string;
                node: string;
                day: string;
                at: string;
                status: string;
                reason: string;
                held: string;
            }[];
            others: ({
                journey: string;
                node: string;
            } & {
                [key: string]: unknown;
            })[];
            assumptions: {
                code: string;
                zh: string;
                en: string;
            }[];
        };
        WhatifList: {
            items: components["schemas"]["Whatif"][];
            next_cursor: string | null;
            as_of: string;
        };
        WhatifComparison: {
            simulated_from: string;
            actual_from: string;
            actual_to: string;
            as_of: string;
            is_over: boolean;
            nodes: {
                node: string;
                day?: number;
                simulated: {
                    [key: string]: number;
                };
                actual: {
                    [key: string]: number;
                };
            }[];
            days: {
                node: string;
                day?: number;
                simulated: {
                    [key: string]: number;
                };
                actual: {
                    [key: string]: number;
                };
            }[];
        };
        Calendar: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** Format: date-time */
            as_of: string;
            zone: string;
            items: {
                /**
                 * @description sent: went; held: made, waits; run: a schedule lets people in; scheduled, entering, waiting: what those will be sent who are let in then, are being let in, are in it
                 * @enum {string}
                 */
                kind: "sent" | "held" | "run" | "scheduled" | "entering" | "waiting";
                /**
                 * Format: date
                 * @description in the workspace's zone
                 */
                day: string;
                /** Format: date-time */
                first_at: string;
                /** Format: date-time */
                last_at: string;
                journey: string | null;
                name: string | null;
                state: string | null;
                team: string | null;
                campaign: string | null;
                node: string | null;
                node_name: string | null;
                channel: string | null;
                account: string | null;
                template: string | null;
                segment: string | null;
                /** @description the gate that holds it */
                reason: string | null;
                /** @description null: nobody can know */
                count: number | null;
                at_most: boolean;
            }[];
            /** @description what may go out on any day: journeys that events, segments or tags start */
            triggered: {
                journey: string | null;
                name: string | null;
                state: string | null;
                team: string | null;
                campaign: string | null;
                node: string | null;
                node_name: string | null;
                channel: string | null;
                account: string | null;
                template: string | null;
                trigger: string | null;
            }[];
            /** @description there is more than is told */
            partial: boolean;
        };
        JourneyTrial: {
            journey: string;
            customer: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            entry: {
                allowed: boolean;
                /** @description what speaks against it; the steps are those of who is let in all the same */
                reason: string;
            };
            steps: {
                /** Format: date-time */
                at: string;
                step: string;
                journey: string;
                node: string;
                name: string;
                what: string;
                detail: string;
                text: {
                    zh: string;
                    en: string;
                };
                /** @description which of touches */
                touch?: number;
            }[];
            touches: {
                /** Format: date-time */
                at: string;
                status: string;
                /** @description the gate */
                reason: string;
                detail: string;
                /** Format: date-time */
                until?: string;
                node: string;
                channel: string;
                account: string;
                form: string;
                template: string;
                purpose: string;
                /** @description as it would read */
                parts?: {
                    [key: string]: unknown;
                };
                /** @description why it could not be filled in */
                problem?: string;
                then: {
                    /** Format: date-time */
                    at: string;
                    status: string;
                    /** @description the gate */
                    reason: string;
                }[];
            }[];
            /** @description she is out of it by the end */
            ended: boolean;
            partial: boolean;
            assumptions: {
                zh: string;
                en: string;
            }[];
        };
        JourneyReport: {
            key: string;
            state: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            as_of: string;
            entered: number;
            refused: number;
            exited: number;
            inside: number;
            control: number;
            failed: number;
            nodes: {
                node: string;
                type: string;
                name: string;
                waiting: number;
                entered: number;
                left: number;
                timed_out: number;
                other: number;
                queued: number;
                held: number;
                sent: number;
                delivered: number;
                clicked: number;
                failed: number;
                suppressed: number;
                uncertain: number;
                exited: number;
                refused: number;
            }[];
            goals: {
                key: string;
                name: string;
                journey: {
                    entered: number;
                    reached: number;
                    value: number;
                };
                control: {
                    entered: number;
                    reached: number;
                    value: number;
                };
                lift?: {
                    difference: number;
                    low: number;
                    high: number;
                    significant: boolean;
                };
                value_per_customer?: {
                    difference: number;
                    low: number;
                    high: number;
                    significant: boolean;
                };
                /** Format: date-time */
                final_on: string;
            }[];
        };
        JourneyExplained: {
            journey: string;
            /** Format: date-time */
            as_of: string;
            is_in: boolean;
            reason?: string;
            sentence?: {
                zh: string;
                en: string;
            };
            positions: {
                position: number;
                version: number;
                key: string;
                node: string;
                /** Format: date-time */
                entered_at: string;
                /** Format: date-time */
                due?: string;
                sentence: {
                    zh: string;
                    en: string;
                };
                steps: {
                    /** Format: date-time */
                    at: string;
                    step: string;
                    node: string;
                    what: string;
                    detail: string;
                    text: {
                        zh: string;
                        en: string;
                    };
                }[];
            }[];
            past: {
                position: number;
                /** Format: date-time */
                entered_at: string;
                /** Format: date-time */
                left_at: string;
                reason: string;
                steps: {
                    /** Format: date-time */
                    at: string;
                    step: string;
                    node: string;
                    what: string;
                    detail: string;
                    text: {
                        zh: string;
                        en: string;
                    };
                }[];
            }[];
        };
        JourneyEntered: {
            results?: {
                one_id: string;
                position?: number;
                refusal?: string;
            }[];
            wave?: number;
            customers?: number;
        };
        /** @description docs/templates.md */
        TemplateCatalogue: {
            tags: {
                name: string;
                about: {
                    zh: string;
                    en: string;
                };
                example: string;
            }[];
            operators: {
                name: string;
                about: {
                    zh: string;
                    en: string;
                };
                example: string;
            }[];
            filters: {
                name: string;
                about: {
                    zh: string;
                    en: string;
                };
                example: string;
                arguments_min: number;
                arguments_max: number;
            }[];
            limits: {
                source_bytes_max: number;
                bytes_max: number;
                steps_max: number;
                depth_max: number;
            };
        };
        JourneyCatalogue: {
            triggers: {
                type: string;
                text: {
                    zh: string;
                    en: string;
                };
                members: {
                    name: string;
                    type: string;
                    needed: boolean;
                    text: {
                        zh: string;
                        en: string;
                    };
                }[];
            }[];
            nodes: {
                type: string;
                text: {
                    zh: string;
                    en: string;
                };
                members: {
                    name: string;
                    type: string;
                    needed: boolean;
                    text: {
                        zh: string;
                        en: string;
                    };
                }[];
            }[];
            parts: {
                [key: string]: {
                    members: {
                        name: string;
                        type: string;
                        needed: boolean;
                        text: {
                            zh: string;
                            en: string;
                        };
                    }[];
                };
            };
            comparisons: string[];
            steps: {
                [key: string]: {
                    text: {
                        zh: string;
                        en: string;
                    };
                };
            };
        };
        ReadyJourney: {
            key: string;
            name: {
                zh: string;
                en: string;
            };
            about: {
                zh: string;
                en: string;
            };
            scene: string;
            journey: components["schemas"]["JourneyDefinition"];
        };
        TeamPut: {
            name?: string;
            parent?: string | null;
            customers?: Record<string, never> | null;
            events?: {
                prop: string;
                eq?: string;
                in?: string[];
            }[] | null;
            sources?: string[];
            accounts?: string[];
        };
        Team: {
            key: string;
            name: string;
            parent: string | null;
            customers: Record<string, never> | null;
            events: {
                prop: string;
                eq?: string;
                in?: string[];
            }[] | null;
            sources: string[];
            accounts: string[];
            /** Format: date-time */
            changed_at: string;
        };
        TeamList: {
            items: components["schemas"]["Team"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        Share: {
            /** @enum {unknown} */
            kind: "segment" | "tag" | "journey" | "template" | "account" | "source" | "mapping" | "pool" | "trait";
            key: string;
            team: string;
            /** @enum {unknown} */
            level: "read" | "use" | "change" | "none";
        };
        ShareList: {
            items: components["schemas"]["Share"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        AccessRole: {
            key: string;
            name: string;
            name_zh: string;
            /** @description comes with Kith and cannot be changed */
            ready: boolean;
            /** @description all that the patterns come to */
            permissions: string[];
            /** @description kind.action; * stands for any kind, any action or both */
            patterns: string[];
            users: number;
        };
        AccessRoleList: {
            items: components["schemas"]["AccessRole"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        AccessRolePut: {
            name?: string;
            /** @description kind.action; * stands for any kind, any action or both */
            permissions?: string[];
        };
        PermissionKindList: {
            items: {
                kind: string;
                actions: string[];
            }[];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
        };
        AuditVerdict: {
            /** @description no line was altered, removed or put in between */
            whole: boolean;
            lines: number;
            /** @description the first line that does not fit to what is before it */
            broken_seq: number | null;
            complaint: string;
            /** Format: date-time */
            as_of: string;
        };
        SingleSignOn: {
            /** @description what the button says */
            name?: string;
            /** @description https address of the provider */
            issuer: string;
            client_id: string;
            /** @description as registered there: …/api/v1/session/single-sign-on/callback */
            redirect_uri: string;
            scopes?: string;
            /** @description default groups */
            roles_claim?: string;
            /** @description default email */
            login_claim?: string;
            /** @description who comes for the first time is made a user */
            makes_users?: boolean;
            /** @description value of the claim → keys of roles */
            roles?: {
                [key: string]: string[];
            };
            default_roles?: string[];
            has_client_secret: boolean;
        };
        SingleSignOnPut: {
            /** @description what the button says */
            name?: string;
            /** @description https address of the provider */
            issuer: string;
            client_id: string;
            /** @description as registered there: …/api/v1/session/single-sign-on/callback */
            redirect_uri: string;
            scopes?: string;
            /** @description default groups */
            roles_claim?: string;
            /** @description default email */
            login_claim?: string;
            /** @description who comes for the first time is made a user */
            makes_users?: boolean;
            /** @description value of the claim → keys of roles */
            roles?: {
                [key: string]: string[];
            };
            default_roles?: string[];
            /** @description kept sealed, never shown; missing: as it is */
            client_secret?: string;
        };
        Erasure: {
            /** @description x and a number; GET /jobs/{id} knows it too */
            id: string;
            /** @enum {string} */
            kind: "erasure";
            /**
             * @description erasing: nobody finds her any more, and bytes of hers may still lie on the disk; finished: none do
             * @enum {string}
             */
            state: "erasing" | "finished";
            asked_at: string;
            finished_at: string | null;
            user: number;
            reason: string;
            /** @description how many of what there were: nodes, identifiers, traits, events, touches, positions, warehouse_rows, log_records, quarantined, files; rows, records and files are those of all erasures that went together */
            receipt: Record<string, never>;
        };
        ErasureList: {
            items: components["schemas"]["Erasure"][];
            next_cursor: string | null;
            as_of: string;
        };
        PrivacyStatus: {
            erasing: number;
            finished: number;
            /** @description keyed hashes of identifiers that are kept out */
            tombstones: number;
            /** @description events about erased customers that came later and were not taken */
            refused_events: number;
            /** @description the log's records of such events are emptied */
            log_is_clean: boolean;
            /** @description the last try to bring an erasure to its end failed; it is tried again */
            is_failing: boolean;
            /** @description what erased customers had done in all; revenue and total in minor units */
            totals: {
                currency?: string;
                events?: number;
                revenue?: number;
                total?: number;
            }[];
        };
        CustomerFind: {
            /** @description docs/rules.md; {} is everybody */
            rule: Record<string, never>;
            /** @enum {string} */
            on?: "customer";
        };
        CustomerFound: {
            items: components["schemas"]["CustomerEntry"][];
            /** @description hand it to `cursor` for the next page; null at the end */
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description up to when this is true
             */
            as_of: string;
            /** @description the scan stopped at its time limit: the count is an estimate, the page has those who were found */
            partial: boolean;
            /** @description all who hold, not of this page alone */
            count: number;
            /** @description how many there are in all */
            base: number;
        };
        View: {
            key: string;
            /** @description which page it is of, as `customers` */
            page: string;
            name: string;
            /** @description what stands behind the '?' of the page's address */
            query: string;
            /** @description shown to the others */
            shared: boolean;
            /** @description login */
            owner: string;
            /** @description of who asks */
            own: boolean;
        };
        ViewPut: {
            page: string;
            name: string;
            query: string;
            shared?: boolean;
        };
        ViewList: {
            items: components["schemas"]["View"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        Today: {
            /**
             * Format: date-time
             * @description null: not counted yet
             */
            as_of: string | null;
            /**
             * Format: date-time
             * @description when the day began, in the workspace's zone
             */
            from: string;
            /** @description first paid since then, neither cancelled nor wholly refunded */
            orders: number;
            /** @description the currency of most orders first */
            revenue: {
                currency: string;
                orders: number;
                /** @description minor units: paid less what of these orders was refunded so far */
                net: number;
                refunded: number;
            }[];
            /** @description not counted yet today */
            partial: boolean;
        };
        PersonRequest: {
            /** @description r and a number */
            id: string;
            /** @enum {string} */
            kind: "access" | "correction" | "portability" | "restriction" | "erasure" | "withdrawal" | "guardian_consent";
            /**
             * @description open, in_progress: to be done; done, refused, cancelled: closed
             * @enum {string}
             */
            state: "open" | "in_progress" | "done" | "refused" | "cancelled";
            /** @description null: she was erased */
            one_id: string | null;
            /** Format: date-time */
            received_at: string;
            /** Format: date-time */
            due_at: string;
            /** @description not closed, and its day is over */
            overdue: boolean;
            /** @description login of who sees to it */
            handler: string | null;
            created_by: string;
            note: string;
            result: string;
            /** @description id of the erasure that it became */
            erasure: string | null;
            package: components["schemas"]["PersonPackage"] | null;
            /** Format: date-time */
            changed_at: string;
            /** Format: date-time */
            closed_at: string | null;
        };
        PersonPackage: {
            /** Format: date-time */
            made_at: string;
            /** Format: date-time */
            expires_at: string;
            bytes: number;
            /** @description personal values in clear */
            revealed: boolean;
            made_by: string;
        };
        PersonRequestList: {
            items: components["schemas"]["PersonRequest"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        ConsentHistory: {
            /** @description every decision as it was made, newest first */
            items: {
                purpose: string;
                /** @enum {string} */
                state: "granted" | "withdrawn";
                /**
                 * Format: date-time
                 * @description when she decided
                 */
                at: string;
                /** @description number of the record that brought it: their order */
                recorded_at: number;
                /** @description key of the source; empty: by hand, or on her page */
                source: string;
                /** @description login of who recorded it */
                user: string | null;
                /** @description which text she was shown */
                text_version: string;
                evidence: string;
                /** @description its event was taken back by an undone import */
                taken_back: boolean;
            }[];
            next_cursor: null;
            /** Format: date-time */
            as_of: string;
            /** @description by purpose: what counts now */
            current: {
                [key: string]: components["schemas"]["Consent"];
            };
            /** @description her data are kept and not used */
            restricted: boolean;
            /** @description false: nothing is chosen for her by what is known of her */
            personalised: boolean;
        };
        SensitiveTrait: {
            name: string;
            /** @enum {string} */
            state: "held" | "asked" | "released";
            reason: string;
            asked_by: string | null;
            released_by: string | null;
            /** Format: date-time */
            changed_at: string | null;
        };
        Sink: {
            key: string;
            /** @description host:port, 1 to 16 */
            brokers: string[];
            /** @description for each kind of news that is told, its topic; at least one */
            topics: {
                segments?: string;
                tags?: string;
                touches?: string;
                events?: string;
                customers?: string;
            };
            /** @description keys of which alone is told; empty: all */
            segments: string[];
            /** @description keys of which alone is told; empty: all */
            tags: string[];
            /** @description names of events of which alone is told; empty: all */
            event_types: string[];
            /**
             * @description none: what names a person is left out; clear takes customer.reveal
             * @enum {string}
             */
            personal: "none" | "clear";
            /** @description how long news wait for brokers that are away: 1h to 90d; 7d if not said */
            hold: string;
            paused: boolean;
            tls: boolean;
            /** @description PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty: nobody signs in */
            mechanism: string;
            username: string;
            /** @enum {string} */
            state: "paused" | "connecting" | "running" | "failing" | "waiting";
            /** @description empty: none */
            problem: string;
            /** @description that the brokers have, since the start */
            messages: number;
            /** @description of customers who were erased meanwhile, or too large for the brokers, since the start */
            skipped: number;
            /** @description news that waited longer than hold */
            lost: number;
            /** @description up to here everything is told */
            sequence: number;
            /** @description news that wait, of all kinds */
            behind: number;
            /** Format: date-time */
            waiting_since: string | null;
            /** Format: date-time */
            last_at: string | null;
        };
        SinkPut: {
            /** @description host:port, 1 to 16 */
            brokers: string[];
            /** @description for each kind of news that is told, its topic; at least one */
            topics: {
                segments?: string;
                tags?: string;
                touches?: string;
                events?: string;
                customers?: string;
            };
            /** @description keys of which alone is told; empty: all */
            segments?: string[];
            /** @description keys of which alone is told; empty: all */
            tags?: string[];
            /** @description names of events of which alone is told; empty: all */
            event_types?: string[];
            /**
             * @description none: what names a person is left out; clear takes customer.reveal
             * @enum {string}
             */
            personal?: "none" | "clear";
            /** @description how long news wait for brokers that are away: 1h to 90d; 7d if not said */
            hold?: string;
            paused?: boolean;
            tls?: boolean;
            /** @description PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty: nobody signs in */
            mechanism?: string;
            username?: string;
            /** @description sealed at once, and shown to nobody */
            password?: string;
        };
        SinkList: {
            items: components["schemas"]["Sink"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
        };
        /** @description days by kind of data; what is missing is as when nobody said otherwise */
        RetentionPolicy: {
            /** @description days; 0: kept */
            log?: number;
            /** @description days; 0: kept */
            quarantine?: number;
            /** @description days by type of events; '*': all types without days of their own */
            events?: {
                [key: string]: number;
            };
            /** @description days; 0: kept */
            visitors?: number;
            /** @description days; 0: kept */
            touches?: number;
            /** @description days; 0: kept */
            exports?: number;
            /** @description days; 0: kept */
            uploads?: number;
            /** @description days; 0: kept */
            audit?: number;
        };
        SealingJob: {
            /** @description k and the number of the key; /jobs/{id} shows it too */
            id: string;
            /** @constant */
            kind: "sealing";
            /** @enum {string} */
            state: "running" | "finished";
            /** @description the one to which everything is brought */
            key: number;
            /** @description how often it has gone through all; the last one finds nothing */
            pass?: number;
            /** @enum {string} */
            phase?: "ledger" | "log" | "warehouse" | "files";
            /** @description of the ledger, where it is */
            table?: string;
            /** @description why it does not go on */
            waits_for?: string;
            /** @description rows of the ledger, records of the log, texts in the warehouse, files */
            sealed_anew: {
                ledger: number;
                log: number;
                warehouse: number;
                files: number;
            };
            /** Format: date-time */
            began_at?: string;
            /** Format: date-time */
            finished_at?: string;
        };
        SealingKeys: {
            /** @description the key that seals */
            newest: number;
            keys_max: number;
            keys: {
                number: number;
                /** @enum {string} */
                state: "seals" | "retired" | "removed";
                /** @description something in this house, backups apart, is or may be sealed by it */
                needed: boolean;
            }[];
            job?: components["schemas"]["SealingJob"];
        };
        RetentionRun: {
            /** @description t and its number; /jobs/{id} shows it too */
            id: string;
            /** @enum {string} */
            state: "running" | "finished";
            /**
             * @description the kind that it is at
             * @enum {string}
             */
            stage?: "log" | "quarantine" | "events" | "visitors" | "touches" | "exports" | "uploads" | "audit";
            /**
             * Format: date-time
             * @description as of when it is judged what is too old
             */
            at: string;
            /** Format: date-time */
            finished_at?: string;
            /** @description who began it; 0: it was due */
            user_number: number;
            /** @description what went so far; of uploads and exports: files; of the log: records that its keeper cuts */
            counts: {
                log: number;
                quarantine: number;
                events: number;
                visitors: number;
                touches: number;
                exports: number;
                uploads: number;
                audit: number;
            };
        };
        Retention: {
            policy: components["schemas"]["RetentionPolicy"];
            kinds: {
                /** @enum {string} */
                kind: "log" | "quarantine" | "events" | "visitors" | "touches" | "exports" | "uploads" | "audit";
                days_default: number;
                days_least: number;
                what: string;
            }[];
            last_run?: components["schemas"]["RetentionRun"];
        };
        RetentionTrial: {
            /** Format: date-time */
            as_of: string;
            counts: {
                log: number;
                quarantine: number;
                events: number;
                visitors: number;
                touches: number;
                exports: number;
                uploads: number;
                audit: number;
            };
            /** @description of events: how many of each type */
            event_types: {
                [key: string]: number;
            };
        };
        /** @description went: at once; late: held and went; waiting: held until now */
        PolicyEnds: {
            went: number;
            late: number;
            waiting: number;
            stopped: number;
        };
        PolicyEnd: {
            /** @enum {string} */
            end: "went" | "late" | "waiting" | "stopped";
            gate: string | null;
            /** @description name of the cap or budget; '#2' where it has none: its place */
            detail: string | null;
        };
        PolicyPreview: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            as_of: string;
            /** @description asked for since `from`, or waiting; without those stopped for what no policy decides */
            touches: number;
            /** @description of so many customers one was taken, with all of hers; counts are as of all */
            one_in: number;
            partial: boolean;
            changed: number;
            more_stopped: number;
            fewer_stopped: number;
            now: components["schemas"]["PolicyEnds"];
            draft: components["schemas"]["PolicyEnds"];
            /** @description of them, those that wait now */
            waiting: {
                touches: number;
                now: components["schemas"]["PolicyEnds"];
                draft: components["schemas"]["PolicyEnds"];
            };
            reasons: {
                gate: string | null;
                detail: string | null;
                now: {
                    stopped: number;
                    held: number;
                };
                draft: {
                    stopped: number;
                    held: number;
                };
            }[];
            /** @description at most 20, newest first; none for who may not see touches and customers */
            examples: {
                customer: string;
                touch: number;
                /** Format: date-time */
                at: string;
                channel: string;
                journey: string;
                campaign: string;
                priority: number;
                now: components["schemas"]["PolicyEnd"];
                draft: components["schemas"]["PolicyEnd"];
            }[];
        };
        ServerItem: {
            /** @description the same over restarts; empty where there is only one */
            id: string;
            /** @description as --advertise says; may be empty */
            address: string;
            /** @enum {string} */
            role: "active" | "follower" | "collect" | "query" | "send";
            version: string;
            /**
             * @description gone: silent for more than 10 s; left: it said that it ends
             * @enum {string}
             */
            state: "up" | "gone" | "left";
            ready: boolean;
            /** @description why it is not ready */
            reason: string | null;
            /** @description number of the lease that it knows of */
            epoch: number;
            applied_seq: number;
            /** @description records that it has and has not applied */
            lag: number;
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            seen_at: string;
            /** @description the one that answers */
            this: boolean;
        };
    };
    responses: {
        /** @description what went wrong */
        Problem: {
            headers: {
                /** @description seconds; with 429 and 503 */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description `next_cursor` of the page before */
        cursor: string;
        limit: number;
        /** @description show personal values in full: needs customer.reveal, and is written to the audit */
        reveal: boolean;
        /** @description the same key and request gives the same answer for 24 hours; another request 422 */
        idempotency: string;
        /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
        reason: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    login: string;
                    password: string;
                    /** @description of the second factor, or a recovery code; a 401 with pointer /code asks for it */
                    code?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    current: string;
                    password: string;
                };
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTokens: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Token"][];
                        /** @description hand it to `cursor` for the next page; null at the end */
                        next_cursor: string | null;
                        /**
                         * Format: date-time
                         * @description up to when this is true
                         */
                        as_of: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** Format: date-time */
                    expires_at?: string | null;
                    /** @description kind.action; * stands for any kind, any action or both */
                    permissions?: string[];
                };
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                prefix: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["UserEntry"][];
                        /** @description hand it to `cursor` for the next page; null at the end */
                        next_cursor: string | null;
                        /**
                         * Format: date-time
                         * @description up to when this is true
                         */
                        as_of: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserEntry"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserEntry"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listServers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description who was heard last first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ServerItem"][];
                        next_cursor: string | null;
                        /** Format: date-time */
                        as_of: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSystem: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["System"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getOverview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    advanceClock: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description 3d, 12h, 30m, 90s, 500ms */
                    advance: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        now: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listBackups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backups"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backups"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description login; system for the server itself */
                user?: string;
                /** @description such as user.put; user. for all that begin so */
                action?: string;
                /** @description whose, or which */
                object?: string;
                /** @description is in action, object or detail */
                text?: string;
                /** @description from this time on */
                from?: string;
                /** @description before this time */
                until?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingList"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSetting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setting"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSetting: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    value: unknown;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setting"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getOpenapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok";
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done; role, epoch and active are there when the log lies on a server */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok";
                        /** @description what of the warehouse is missing; absent when nothing is */
                        warehouse?: string;
                        /** @enum {string} */
                        role?: "active" | "follower" | "collect" | "query" | "send";
                        epoch?: number;
                        active?: string;
                        /** @description of the active server with --senders: how many servers send and live, for how many accounts, of which nobody sends for, messages that no sender has and that one has */
                        senders?: {
                            count: number;
                            accounts: number;
                            unserved: number;
                            waiting: number;
                            claimed: number;
                        };
                    };
                };
            };
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    searchCustomers: {
        parameters: {
            query?: {
                /** @description any identifier value, one_id, the last four digits of a phone, or a name */
                query?: string;
                /** @description only customers that hold one */
                identifier_type?: string;
                /** @description `trait.city=上海`: customers whose trait has this value; may be given several times */
                trait?: {
                    [key: string]: string;
                };
                /** @description what is told of each beside the usual: `traits`, `tags` (with segments), or both with a comma */
                columns?: string;
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CustomerList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getCustomerByIdentifier: {
        parameters: {
            query?: {
                namespace?: string;
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                type: string;
                value: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getCustomer: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    eraseCustomer: {
        parameters: {
            query?: {
                /** @description why, for the audit */
                reason?: string;
            };
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description begun: nobody finds her from now on */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listCustomerEvents: {
        parameters: {
            query?: {
                type?: string;
                channel?: string;
                source?: string;
                /** @description only what happened at this moment or later */
                from?: string;
                /** @description only what happened before this moment */
                until?: string;
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getCustomerGraph: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Graph"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listCustomerMerges: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    explainCustomer: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explain"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listCustomerMemberships: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            /** @enum {string} */
                            kind: "tag" | "segment";
                            key: string;
                            name: string;
                            /**
                             * Format: date-time
                             * @description since when it is as it is now; null: longer ago than is looked
                             */
                            since: string | null;
                            cause: string;
                        }[];
                        next_cursor: string | null;
                        /** Format: date-time */
                        as_of: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    splitCustomer: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    merge_id: number;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SplitResult"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    mergeCustomers: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description one_id */
                    other: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneId"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putConsent: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
                purpose: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    granted: boolean;
                    evidence?: string;
                    /** @description which text she was shown */
                    text_version?: string;
                    /**
                     * Format: date-time
                     * @description when she decided, not later than now; default: now
                     */
                    at?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        purpose: string;
                        /** @enum {string} */
                        state: "granted" | "withdrawn";
                        /** Format: date-time */
                        at: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listIdentifierTypes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentifierTypeList"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putIdentifierType: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdentifierTypePut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentifierType"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    whatifIdentity: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    types: components["schemas"]["IdentifierTypeChange"][];
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatIf"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    applyIdentityRules: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    types?: components["schemas"]["IdentifierTypeChange"][];
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RulesApplied"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listRefusals: {
        parameters: {
            query?: {
                status?: "open" | "decided";
                reason?: string;
                customer?: string;
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefusalList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    decideRefusal: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    decision: "merge" | "separate" | "dismiss";
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refusal"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSuggestions: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuggestionList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getLinkRate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkRateList"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listLiveEvents: {
        parameters: {
            query?: {
                /** @description entries with a larger id */
                after?: number;
                source?: string;
                type?: string;
                outcome?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LiveList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    streamLiveEvents: {
        parameters: {
            query?: {
                source?: string;
                type?: string;
                outcome?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceList"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createSource: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SourcePost"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewSource"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSource: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SourcePut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    rotateSource: {
        parameters: {
            query?: {
                /** @description how long the old key is good beside the new one, such as 24h, at most 30 days; missing: it is over at once */
                overlap?: string;
            };
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description shown once; the old one no longer works */
                        write_key: string;
                        /** Format: date-time */
                        old_until: string | null;
                    };
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createSigningSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SigningSecret"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listPlanEvents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanEventList"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getPlanEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanEvent"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putPlanEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanEventPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanEvent"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTraits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraitTypeList"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putTrait: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TraitTypePut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraitType"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listQuarantine: {
        parameters: {
            query?: {
                reason?: string;
                source?: string;
                type?: string;
                status?: "waiting" | "replayed" | "discarded";
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuarantineList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    summariseQuarantine: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuarantineSummary"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    replayQuarantine: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuarantineReplay"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        replayed: number;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    discardQuarantine: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuarantineChoice"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        discarded: number;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createUpload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadPost"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putUpload: {
        parameters: {
            query?: {
                offset?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listImports: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createImport: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportPost"];
            };
        };
        responses: {
            /** @description done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportMade"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    detectImport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportLook"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportDetected"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    previewImport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportLook"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportPreview"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listImportPresets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PresetList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listBuckets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BucketList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putBucket: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BucketPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bucket"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteBucket: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listFeeds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getFeed: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Feed"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putFeed: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FeedPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Feed"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteFeed: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSinks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SinkList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sink"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSink: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SinkPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sink"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteSink: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    undoImport: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number | string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"] | components["schemas"]["Erasure"] | components["schemas"]["RetentionRun"] | components["schemas"]["SealingJob"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    streamJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getRefusedRows: {
        parameters: {
            query?: {
                offset?: string;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    pauseJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    resumeJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listMappings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MappingList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getMapping: {
        parameters: {
            query?: {
                version?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mapping"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putMapping: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MappingPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mapping"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listWatermarks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WatermarkList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listObjectKinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectKindList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putObjectKind: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                kind: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ObjectKindPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectKindList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteObjectKind: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                kind: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listObjects: {
        parameters: {
            query?: {
                query?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                kind: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getObject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Object"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putObject: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                kind: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ObjectPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Object"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteObject: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                kind: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    previewSegment: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SegmentPreviewPost"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SegmentPreview"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    overlapSegments: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OverlapPost"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overlap"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSegments: {
        parameters: {
            query?: {
                /** @description of this folder */
                folder?: string;
                /** @description part of key or name */
                query?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DefinitionList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSegment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Definition"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSegment: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SegmentPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Definition"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteSegment: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSegmentMembers: {
        parameters: {
            query?: {
                /** @description as of this moment */
                at?: string;
                /** @description of a tag */
                value?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    changeSegmentMembers: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MembersChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Given"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSegmentHistory: {
        parameters: {
            query?: {
                /** @description of a tag */
                value?: string;
                /** @description from this moment on */
                from?: string;
                /** @description before this moment */
                to?: string;
                /** @description 1d, 1h, 5m */
                step?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SizeHistory"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    explainSegment: {
        parameters: {
            query?: {
                /** @description one_id */
                customer?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipExplained"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    previewSegmentChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SegmentPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePreview"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTags: {
        parameters: {
            query?: {
                /** @description of this folder */
                folder?: string;
                /** @description part of key or name */
                query?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DefinitionList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getTag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Definition"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putTag: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TagPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Definition"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteTag: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTagMembers: {
        parameters: {
            query?: {
                /** @description as of this moment */
                at?: string;
                /** @description of a tag */
                value?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getTagHistory: {
        parameters: {
            query?: {
                /** @description of a tag */
                value?: string;
                /** @description from this moment on */
                from?: string;
                /** @description before this moment */
                to?: string;
                /** @description 1d, 1h, 5m */
                step?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SizeHistory"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    explainTag: {
        parameters: {
            query?: {
                /** @description one_id */
                customer?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipExplained"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    previewTagChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TagPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePreview"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    changeTagValues: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValuesChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Given"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    profileSegment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SegmentProfile"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    explainRule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    rule: Record<string, never>;
                    customer: string | {
                        type: string;
                        value: string;
                        namespace?: string;
                    };
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        holds: boolean;
                        /** Format: date-time */
                        as_of: string;
                        rules: Record<string, never>[];
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getRuleCatalogue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleCatalogue"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getObjectTags: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectTags"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    exportSegment: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportPost"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    exportTag: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportPost"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listExports: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getExportFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSegmentReach: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SegmentReach"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    mapSegments: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OverlapMapPost"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverlapMap"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTouches: {
        parameters: {
            query?: {
                customer?: string;
                journey?: string;
                status?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TouchList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    sendTouches: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TouchSend"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TouchAnswers"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getTouch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Touch"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    decideTouch: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TouchDecision"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Touch"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTouchCorrections: {
        parameters: {
            query?: {
                kind?: string;
                journey?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TouchCorrectionList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getReach: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReachList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listPauses: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PauseList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    pauseMarketing: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                    /**
                     * Format: date-time
                     * @description later than now; without it: until it is lifted
                     */
                    until?: string | null;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PauseList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    liftPause: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PauseList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTemplates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getTemplateCatalogue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateCatalogue"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Template"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putTemplate: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplatePut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Template"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteTemplate: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    previewTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplatePreviewPost"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplatePreview"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putChannel: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteChannel: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    testChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelTest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            502: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            504: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listContactWays: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactWayList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            502: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            504: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createContactWay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    state: string;
                    users: string[];
                    remark?: string;
                    skip_verify?: boolean;
                };
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactWay"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            502: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            504: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putContactWay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    state?: string;
                    users?: string[];
                    remark?: string;
                    skip_verify?: boolean;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactWay"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            502: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            504: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteContactWay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            502: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            504: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listChannelKinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putPolicy: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Policy"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    previewPolicy: {
        parameters: {
            query?: {
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Policy"];
            };
        };
        responses: {
            /** @description under the policy in force, and under the draft */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyPreview"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listGates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getStops: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putStop: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StopPost"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTasks: {
        parameters: {
            query?: {
                status?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    changeTask: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskChange"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Touch"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listCouponPools: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putCouponPool: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CouponPoolPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CouponPool"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    followLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    showUnsubscribe: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    unsubscribe: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    verifyHook: {
        parameters: {
            query?: {
                signature?: string;
                timestamp?: string;
                nonce?: string;
                echostr?: string;
                msg_signature?: string;
                /** @description the account's callback_secret, where a provider does not sign (SMS, mail) */
                secret?: string;
                encrypt_type?: string;
                openid?: string;
            };
            header?: never;
            path: {
                account: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    receiveHook: {
        parameters: {
            query?: {
                signature?: string;
                timestamp?: string;
                nonce?: string;
                echostr?: string;
                msg_signature?: string;
                /** @description the account's callback_secret, where a provider does not sign (SMS, mail) */
                secret?: string;
                encrypt_type?: string;
                openid?: string;
            };
            header?: never;
            path: {
                account: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listJourneys: {
        parameters: {
            query?: {
                folder?: string;
                /** @description part of key or name */
                query?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["JourneyHead"][];
                        next_cursor: string | null;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getJourneyCatalogue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JourneyCatalogue"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listReadyJourneys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ReadyJourney"][];
                        next_cursor: string | null;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getJourney: {
        parameters: {
            query?: {
                /** @description a published version; without it the draft */
                version?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JourneyDefinition"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    publishJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    positions?: "finish" | "move";
                    map?: {
                        [key: string]: string;
                    };
                    ramp?: number;
                    test_only?: boolean;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    pauseJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    resumeJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    stopJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    positions?: "exit" | "finish";
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    approveJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    rampJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    ramp?: number;
                    test_only?: boolean;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Journey"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    enterJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    customers?: string[];
                    segment?: string;
                    position_key?: string;
                    event?: {
                        [key: string]: unknown;
                    };
                    test?: boolean;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JourneyEntered"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    moveInJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    customer: string;
                    position?: number;
                    /** @enum {string} */
                    action: "exit" | "retry" | "move";
                    to?: string;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        moved: number;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    tryJourney: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description one_id */
                    customer: string;
                    /** @description properties of the event that would start it; rules, segments and other journeys see it as one that has just happened */
                    event?: {
                        [key: string]: unknown;
                    };
                    /** @description other live journeys that this event starts go on, too; true */
                    others?: boolean;
                    /** @description a definition in place of the saved one */
                    journey?: {
                        [key: string]: unknown;
                    };
                    /** @enum {string} */
                    version?: "draft" | "published";
                    days?: number;
                    results?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JourneyTrial"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listWhatifs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatifList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    beginWhatif: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description how many of the last days; default 90 */
                    days?: number;
                    /** @description first moment, instead of days */
                    from?: string;
                    /** @description last moment; default now */
                    until?: string;
                    /** @enum {string} */
                    version?: "draft" | "published";
                    /** @description a definition that was not saved */
                    journey?: {
                        [key: string]: unknown;
                    };
                    /** @description who enters on the first day, where the journey is entered by hand */
                    segment?: string;
                    /** @description run the other live journeys beside it; default true */
                    others?: boolean;
                    /** @description imported events count as if they had come when they happened; default true */
                    imported?: boolean;
                    /** @enum {string} */
                    identities?: "today" | "then";
                    results?: {
                        delivered?: number;
                        read?: number;
                        clicked?: number;
                    };
                    capacity?: {
                        tasks_per_day?: number;
                        minutes_per_task?: number;
                        minutes_per_message?: number;
                    };
                    coupon_value?: number;
                    examples?: number;
                    tick?: string;
                    /** @description how much memory it may take, at most 3072 (the default); beyond it the run ends where it is */
                    memory_mb?: number;
                    /** @description into how many parts customers may be divided, each on a core of its own: at most 8; as many as there are cores, at most 4, unless given; the result does not depend on it */
                    threads?: number;
                };
            };
        };
        responses: {
            /** @description begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whatif"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getWhatif: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whatif"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteWhatif: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    compareWhatif: {
        parameters: {
            query?: {
                /** @description time at which the real days begin; default that of the run */
                from?: string;
            };
            header?: never;
            path: {
                key: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatifComparison"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getJourneyReport: {
        parameters: {
            query?: {
                /** @description time */
                from?: string;
                /** @description time */
                to?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JourneyReport"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    explainJourney: {
        parameters: {
            query?: {
                /** @description one_id */
                customer?: string;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JourneyExplained"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getCalendar: {
        parameters: {
            query?: {
                /** @description time; default the start of today */
                from?: string;
                /** @description time; default 30 days after from, at most 400 */
                to?: string;
                /** @description only of this channel */
                channel?: string;
                /** @description only of this team's journeys */
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Calendar"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listCustomerJourneys: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["JourneyPosition"][];
                        next_cursor: string | null;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listTeams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putTeam: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TeamPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteTeam: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listShares: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShareList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putShare: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Share"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    endUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listRoles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRoleList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRole"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putRole: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessRolePut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRole"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteRole: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listPermissions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PermissionKindList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    verifyAudit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerdict"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    exportAudit: {
        parameters: {
            query?: {
                /** @description login; system for the server itself */
                user?: string;
                /** @description such as user.put; user. for all that begin so */
                action?: string;
                /** @description whose, or which */
                object?: string;
                /** @description is in action, object or detail */
                text?: string;
                /** @description from this time on */
                from?: string;
                /** @description before this time */
                until?: string;
                format?: "csv" | "jsonl";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    enrolment: string;
                    code: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        recovery_codes: string[];
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    beginSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description the password of now */
                    current: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        secret: string;
                        /** @description for a QR code */
                        uri: string;
                        /** @description to be sent back with the first code, within 15 minutes */
                        enrolment: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    removeSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description the password of now */
                    current: string;
                    code: string;
                };
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteUserSecondFactor: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSignInMethods: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        password: boolean;
                        /** @description its name; null: not set up */
                        single_sign_on: string | null;
                    };
                };
            };
            400: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    beginSingleSignOn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    endSingleSignOn: {
        parameters: {
            query?: {
                code?: string;
                state?: string;
                iss?: string;
                error?: string;
                error_description?: string;
                session_state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSingleSignOn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SingleSignOn"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSingleSignOn: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SingleSignOnPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SingleSignOn"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listErasures: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasureList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getErasure: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SealingKeys"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    rotateKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description the key that seals now and is to be retired; where it is not the newest any more nothing happens */
                    newest: number;
                };
            };
        };
        responses: {
            /** @description done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SealingKeys"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SealingKeys"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putRetention: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    policy: components["schemas"]["RetentionPolicy"];
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    runRetention: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default false */
                    dry_run?: boolean;
                    /** @description of a dry run: as if it were this */
                    policy?: components["schemas"]["RetentionPolicy"];
                };
            };
        };
        responses: {
            /** @description dry run: what would go */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionTrial"];
                };
            };
            /** @description begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionRun"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    liftTombstone: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    type: string;
                    value: string;
                    namespace?: string;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description hashes that were lifted; 0: it was not kept out */
                        changed: number;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getPrivacy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrivacyStatus"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    findCustomers: {
        parameters: {
            query?: {
                /** @description what is told of each beside the usual: `traits`, `tags` (with segments), or both with a comma */
                columns?: string;
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CustomerFind"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CustomerFound"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listViews: {
        parameters: {
            query?: {
                /** @description only of this page */
                page?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putView: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ViewPut"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteView: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getToday: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Today"];
                };
            };
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listPersonRequests: {
        parameters: {
            query?: {
                /** @description open (also in_progress), closed, overdue, or a state */
                state?: string;
                /** @description of this kind */
                kind?: "access" | "correction" | "portability" | "restriction" | "erasure" | "withdrawal" | "guardian_consent";
                /** @description one_id: hers */
                customer?: string;
                /** @description `next_cursor` of the page before */
                cursor?: components["parameters"]["cursor"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequestList"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    createPersonRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description one_id */
                    customer: string;
                    /** @enum {string} */
                    kind: "access" | "correction" | "portability" | "restriction" | "erasure" | "withdrawal" | "guardian_consent";
                    /**
                     * Format: date-time
                     * @description default: now
                     */
                    received_at?: string;
                    /**
                     * Format: date-time
                     * @description default: privacy.request_days (15) after it was received
                     */
                    due_at?: string;
                    /** @description login */
                    handler?: string;
                    note?: string;
                };
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getPersonRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description r and a number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    changePersonRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                /** @description r and a number */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    state?: "open" | "in_progress" | "done" | "refused" | "cancelled";
                    handler?: string | null;
                    /** Format: date-time */
                    due_at?: string;
                    note?: string;
                    result?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    performPersonRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description r and a number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done, or begun (erasure) */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getPersonPackage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description r and a number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": string;
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    makePersonPackage: {
        parameters: {
            query?: {
                /** @description show personal values in full: needs customer.reveal, and is written to the audit */
                reveal?: components["parameters"]["reveal"];
                /** @description why values are shown in full, for the audit; or the header X-Kith-Reason, percent-encoded. Asked for when the setting access.reveal_reason is 1 */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                /** @description r and a number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deletePersonPackage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description r and a number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listConsents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsentHistory"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putRestriction: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    restricted: boolean;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        restricted: boolean;
                        /** Format: date-time */
                        at: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    correctTrait: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description text, number, true or false, or a list of these */
                    value: unknown;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @description a value put by hand speaks before all sources */
                        corrected: boolean;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    releaseTrait: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @description a value put by hand speaks before all sources */
                        corrected: boolean;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    addIdentifier: {
        parameters: {
            query?: never;
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description a type of identifiers that is there */
                    type: string;
                    namespace?: string;
                    /** @description as people write it; normalised and, where it names a person, sealed */
                    value: string;
                    /** @description was it proved? Otherwise, where its type asks for that, it is a claim */
                    verified?: boolean;
                    /** @description why, for the audit; names nobody */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        customer: components["schemas"]["OneId"];
                        /** @description of the identifier, as the customer's answer has it */
                        row: number;
                        /** @description false: it was hers before */
                        added: boolean;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    partIdentifier: {
        parameters: {
            query: {
                /** @description why, for the audit; names nobody */
                reason: string;
            };
            header?: {
                /** @description the same key and request gives the same answer for 24 hours; another request 422 */
                "Idempotency-Key"?: components["parameters"]["idempotency"];
            };
            path: {
                one_id: string;
                /** @description of the identifier, as the customer's answer has it */
                row: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        customer: {
                            one_id: string;
                        };
                        /** @description who has it now; null: nobody */
                        other: {
                            one_id: string;
                        } | null;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    makePreferencesLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                one_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description after the public address of this server */
                        path: string;
                        /** Format: date-time */
                        expires_at: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    showPreferences: {
        parameters: {
            query?: {
                /** @description zh or en; default: by her browser */
                lang?: string;
            };
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putPreferences: {
        parameters: {
            query?: {
                /** @description zh or en; default: by her browser */
                lang?: string;
                /** @description which; all: every one */
                purpose?: string;
                /** @description true or false */
                granted?: boolean;
            };
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSensitiveTraits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["SensitiveTrait"][];
                        next_cursor: null;
                        /** Format: date-time */
                        as_of: string;
                    };
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    putSensitiveTrait: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SensitiveTrait"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteSensitiveTrait: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    releaseSensitiveTrait: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SensitiveTrait"];
                };
            };
            400: components["responses"]["Problem"];
            401: components["responses"]["Problem"];
            403: components["responses"]["Problem"];
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            422: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
}
