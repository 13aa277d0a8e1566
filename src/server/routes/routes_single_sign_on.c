/* SPDX-License-Identifier: Apache-2.0 */
/* Single sign-on by OpenID Connect: code flow with proof key, one provider.
 *
 *     browser ── GET single-sign-on ──▶ 302 to the provider, a sealed cookie with state, nonce and verifier
 *     provider ── 302 callback?code&state ──▶ code for ID token ──▶ verified ──▶ user ──▶ session, 302 to /
 *
 * Nothing is kept here between the two. Who comes for the first time is made a user, if the setting says so; her
 * roles follow a claim at each sign-in, where the setting maps any. An account that has the login already is never
 * taken over: who administers users ties the two together.
 */
#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "access/oidc.h"
#include "server/access_rules.h"
#include "server/people.h"

#define COOKIE "kith_single_sign_on"
#define COOKIE_SECURE "__Host-kith_single_sign_on" /* over TLS: of this host alone, for all of it */
#define FLOW_MS_MAX (10 * MINUTE_MS)
#define ANSWER_BYTES_MAX ((size_t)1 << 20)
#define FETCH_S_MAX 15L

struct provider {
    str issuer, client_id, client_secret, redirect_uri, scopes, roles_claim, login_claim;
    str settings; /* all of it, JSON */
    bool makes_users;
    str authorization_endpoint, token_endpoint, jwks_uri;
};

static err no_provider(struct problem *problem)
{
    problem_set(problem, ERR_NOT_FOUND, "single sign-on is not set up");
    return problem_hint(problem, ERR_NOT_FOUND, "PUT /api/v1/single-sign-on");
}

static str text_or(json_value object, str key, str otherwise)
{
    str text = json_text(json_get(object, key));
    return text.size > 0 ? text : otherwise;
}

static err read_provider(struct request *request, struct provider *provider,
                         struct problem *problem)
{
    json_value value;
    struct buffer whole;
    err error = access_rules_setting(request, STR(SETTING_SINGLE_SIGN_ON), &value, problem);
    if (error != ERR_OK)
        return error;
    if (!json_is_object(value))
        return no_provider(problem);
    *provider = (struct provider){
        .issuer = json_text(json_get(value, STR("issuer"))),
        .client_id = json_text(json_get(value, STR("client_id"))),
        .client_secret = json_text(json_get(value, STR("client_secret"))),
        .redirect_uri = json_text(json_get(value, STR("redirect_uri"))),
        .scopes = text_or(value, STR("scopes"), STR("openid profile email")),
        .roles_claim = text_or(value, STR("roles_claim"), STR("groups")),
        .login_claim = text_or(value, STR("login_claim"), STR("email")),
        .makes_users = json_bool(json_get(value, STR("makes_users")), false),
    };
    buffer_init(&whole, 65536);
    json_write_value(&whole, value);
    str *texts[] = { &provider->issuer,       &provider->client_id, &provider->client_secret,
                     &provider->redirect_uri, &provider->scopes,    &provider->roles_claim,
                     &provider->login_claim };
    for (size_t i = 0; error == ERR_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
        error = arena_dup(&request->arena, *texts[i], texts[i]);
    if (error == ERR_OK)
        error = arena_dup(&request->arena, buffer_str(&whole), &provider->settings);
    buffer_deinit(&whole);
    return error;
}

/* ---- speaking to the provider ---- */

static bool is_loopback(str url)
{
    return str_starts_with(url, STR("http://127.0.0.1:")) ||
           str_starts_with(url, STR("http://[::1]:")) ||
           str_starts_with(url, STR("http://localhost:"));
}

/* TLS, save on this very machine; nobody's name in front of the host. */
static bool url_is_good(str url, str issuer)
{
    size_t authority = str_starts_with(url, STR("https://")) ? 8 : 7;
    str host = str_slice(url, authority, url.size);
    host = str_slice(host, 0, str_find_byte(host, '/'));
    return url.size < 2000 && !str_contains(host, STR("@")) &&
           (str_starts_with(url, STR("https://")) || (is_loopback(url) && is_loopback(issuer)));
}

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *out = context;
    buffer_append(out, bytes, size * count);
    return buffer_status(out) == ERR_OK ? size * count : 0;
}

/* GET, or POST of `form`; the answer is parsed by request->scratch. */
static err fetch(struct request *request, str url, const char *form, const char *user,
                 const char *password, json_value *root, struct problem *problem)
{
    struct buffer answer;
    char target[2048];
    long status = 0;
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return ERR_NOMEM;
    snprintf(target, sizeof(target), STR_FMT, STR_ARG(url));
    buffer_init(&answer, ANSWER_BYTES_MAX);
    curl_easy_setopt(curl, CURLOPT_URL, target);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, FETCH_S_MAX);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (form != NULL)
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, form);
    if (user != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    err error = ERR_OK;
    if (code != CURLE_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the provider of single sign-on: %s",
                            curl_easy_strerror(code));
    else if (status != 200)
        error = problem_set(problem, ERR_UNAVAILABLE, "the provider of single sign-on answered %ld",
                            status);
    else if (json_parse(request->scratch, buffer_str(&answer), root, NULL) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE,
                            "the provider of single sign-on answered what is no JSON");
    buffer_deinit(&answer);
    return error;
}

/* OpenID Connect Discovery 1.0 */
static err discover(struct request *request, struct provider *provider, struct problem *problem)
{
    str url = STR_NONE;
    json_value root;
    str issuer = provider->issuer;
    if (str_ends_with(issuer, STR("/")))
        issuer = str_slice(issuer, 0, issuer.size - 1);
    err error = arena_printf(&request->arena, &url, STR_FMT "/.well-known/openid-configuration",
                             STR_ARG(issuer));
    if (error == ERR_OK)
        error = fetch(request, url, NULL, NULL, NULL, &root, problem);
    if (error != ERR_OK)
        return error;
    if (!str_equal(json_text(json_get(root, STR("issuer"))), provider->issuer))
        return problem_set(problem, ERR_UNAVAILABLE, "the provider names another issuer");
    const struct {
        str member;
        str *out;
    } ends[] = { { STR("authorization_endpoint"), &provider->authorization_endpoint },
                 { STR("token_endpoint"), &provider->token_endpoint },
                 { STR("jwks_uri"), &provider->jwks_uri } };
    for (size_t i = 0; error == ERR_OK && i < sizeof(ends) / sizeof(ends[0]); i++) {
        str text = json_text(json_get(root, ends[i].member));
        if (!url_is_good(text, provider->issuer))
            return problem_set(problem, ERR_UNAVAILABLE, "the provider's " STR_FMT " is no https",
                               STR_ARG(ends[i].member));
        error = arena_dup(&request->arena, text, ends[i].out);
    }
    return error;
}

/* ---- out: to the provider ---- */

static void put_escaped(struct buffer *out, const char *name, str value)
{
    char *escaped = curl_easy_escape(NULL, value.data, (int)value.size);
    buffer_printf(out, "%s%s=%s", out->size == 0 ? "" : "&", name, escaped != NULL ? escaped : "");
    curl_free(escaped);
}

static bool is_secure(const struct request *request)
{
    return str_equal_ignoring_case(request->headers.forwarded_proto, STR("https"));
}

static err set_flow_cookie(struct request *request, str sealed)
{
    bool secure = is_secure(request);
    return arena_printf(&request->arena, &request->set_cookie,
                        "%s=" STR_FMT "; Path=%s; HttpOnly; SameSite=Lax; Max-Age=600%s",
                        secure ? COOKIE_SECURE : COOKIE, STR_ARG(sealed),
                        secure ? "/" : API "/session", secure ? "; Secure" : "");
}

err route_single_sign_on_begin(struct request *request, struct problem *problem)
{
    char state[OIDC_SECRET_BYTES], nonce[OIDC_SECRET_BYTES], verifier[OIDC_SECRET_BYTES];
    char challenge[OIDC_SECRET_BYTES], plain[256];
    struct provider provider;
    struct buffer query;
    str sealed;
    err error = read_provider(request, &provider, problem);
    if (error == ERR_OK)
        error = discover(request, &provider, problem);
    if (error != ERR_OK)
        return error;
    oidc_make_secret(state);
    oidc_make_secret(nonce);
    oidc_make_secret(verifier);
    oidc_challenge(str_from_c(verifier), challenge);
    snprintf(plain, sizeof(plain), "flow %lld %s %s %s", (long long)server_now_ms(request->server),
             state, nonce, verifier);
    buffer_init(&query, 8192);
    put_escaped(&query, "response_type", STR("code"));
    put_escaped(&query, "client_id", provider.client_id);
    put_escaped(&query, "redirect_uri", provider.redirect_uri);
    put_escaped(&query, "scope", provider.scopes);
    put_escaped(&query, "state", str_from_c(state));
    put_escaped(&query, "nonce", str_from_c(nonce));
    put_escaped(&query, "code_challenge", str_from_c(challenge));
    put_escaped(&query, "code_challenge_method", STR("S256"));
    error = keys_seal(request->server->keys, &request->arena, str_from_c(plain), &sealed);
    if (error == ERR_OK)
        error = set_flow_cookie(request, sealed);
    if (error == ERR_OK)
        error = arena_printf(&request->arena, &request->location, STR_FMT "%s" STR_FMT,
                             STR_ARG(provider.authorization_endpoint),
                             str_contains(provider.authorization_endpoint, STR("?")) ? "&" : "?",
                             STR_ARG(buffer_str(&query)));
    buffer_deinit(&query);
    request->status = 302;
    return error;
}

/* ---- back: from the provider ---- */

struct flow {
    str state, nonce, verifier;
};

static bool read_flow(struct request *request, struct flow *flow)
{
    str cookies = request->headers.cookie, one, sealed = STR_NONE, plain, kind, at;
    str name = is_secure(request) ? STR(COOKIE_SECURE "=") : STR(COOKIE "=");
    struct problem ignored;
    uint64_t at_ms;
    while (str_split(&cookies, ';', &one)) {
        one = str_trim(one);
        if (str_starts_with(one, name))
            sealed = str_slice(one, name.size, one.size);
    }
    if (keys_unseal(request->server->keys, &request->arena, sealed, &plain, &ignored) != ERR_OK)
        return false;
    return str_split(&plain, ' ', &kind) && str_equal(kind, STR("flow")) &&
           str_split(&plain, ' ', &at) && str_to_uint64(at, &at_ms) &&
           server_now_ms(request->server) - (int64_t)at_ms <= FLOW_MS_MAX &&
           str_split(&plain, ' ', &flow->state) && str_split(&plain, ' ', &flow->nonce) &&
           str_split(&plain, ' ', &flow->verifier);
}

/* The code for an ID token, in the arena. */
static err redeem(struct request *request, const struct provider *provider, const struct flow *flow,
                  str *id_token, struct problem *problem)
{
    struct buffer form;
    struct problem ignored;
    json_value root;
    str secret = STR_NONE;
    char *user = NULL, *password = NULL;
    if (provider->client_secret.size > 0 &&
        keys_unseal(request->server->keys, &request->arena, provider->client_secret, &secret,
                    &ignored) != ERR_OK)
        return problem_set(problem, ERR_INTERNAL, "the client's secret cannot be read");
    buffer_init(&form, 16384);
    put_escaped(&form, "grant_type", STR("authorization_code"));
    put_escaped(&form, "code", request_query(request, STR("code")));
    put_escaped(&form, "redirect_uri", provider->redirect_uri);
    put_escaped(&form, "code_verifier", flow->verifier);
    if (secret.size > 0) { /* RFC 6749, 2.3.1: encoded before they are put together */
        user = curl_easy_escape(NULL, provider->client_id.data, (int)provider->client_id.size);
        password = curl_easy_escape(NULL, secret.data, (int)secret.size);
    } else {
        put_escaped(&form, "client_id", provider->client_id);
    }
    buffer_append_byte(&form, '\0');
    err error = buffer_status(&form);
    if (error == ERR_OK)
        error = fetch(request, provider->token_endpoint, buffer_str(&form).data, user, password,
                      &root, problem);
    if (error == ERR_OK)
        error = arena_dup(&request->arena, json_text(json_get(root, STR("id_token"))), id_token);
    curl_free(user);
    curl_free(password);
    buffer_deinit(&form);
    return error;
}

static err verify(struct request *request, const struct provider *provider, const struct flow *flow,
                  str id_token, json_value *claims, struct problem *problem)
{
    struct oidc_expected expected = { .issuer = provider->issuer,
                                      .client_id = provider->client_id,
                                      .nonce = flow->nonce,
                                      .now_ms = server_now_ms(request->server) };
    json_value key_set;
    err error = fetch(request, provider->jwks_uri, NULL, NULL, NULL, &key_set, problem);
    return error == ERR_OK ? oidc_verify(id_token, key_set, &expected, &request->arena,
                                         request->parser, claims, problem)
                           : error;
}

/* ---- who she is here ---- */

static const struct user *user_by_subject(const struct access_set *set, str subject)
{
    for (size_t i = 0; i < access_user_count(set); i++) {
        const struct user *user = access_user_at(set, i);
        if (!user->settings.is_deleted && str_equal(user->settings.subject, subject))
            return user;
    }
    return NULL;
}

static void put_role(struct json_writer *writer, const struct access_set *set, json_value role,
                     size_t *count)
{
    struct permissions held;
    str key = role_present_key(json_text(role));
    if (*count == USER_ROLES_MAX || !access_role_permissions(set, key, &held))
        return;
    json_put_text(writer, key);
    (*count)++;
}

static bool has_text(json_value list, str text)
{
    struct json_iterator iterator = json_iterate(list);
    json_value one;
    if (json_kind(list) == JSON_TEXT)
        return str_equal(json_text(list), text);
    while (json_kind(list) == JSON_ARRAY && json_next(&iterator, NULL, &one))
        if (str_equal(json_text(one), text))
            return true;
    return false;
}

/* Member `roles` by the setting's {"roles":{"group":["role"]},"default_roles":[]}. False when none comes of it. */
static bool put_roles(struct request *request, json_value settings, json_value claim,
                      struct json_writer *writer)
{
    struct json_iterator groups = json_iterate(json_get(settings, STR("roles")));
    json_value roles, role;
    str group;
    size_t count = 0;
    json_put_key(writer, STR("roles"));
    json_begin_array(writer);
    while (json_next(&groups, &group, &roles)) {
        struct json_iterator iterator = json_iterate(roles);
        while (has_text(claim, group) && json_next(&iterator, NULL, &role))
            put_role(writer, request->actor.set, role, &count);
    }
    struct json_iterator others = json_iterate(json_get(settings, STR("default_roles")));
    while (count == 0 && json_next(&others, NULL, &role))
        put_role(writer, request->actor.set, role, &count);
    json_end_array(writer);
    return count > 0;
}

static err put_user(struct request *request, const struct provider *provider, json_value claims,
                    str login, str subject, bool is_new, struct problem *problem)
{
    struct command_body body;
    json_value settings;
    str response;
    err error = json_parse(request->scratch, provider->settings, &settings, problem);
    if (error != ERR_OK)
        return error;
    bool maps = json_count(json_get(settings, STR("roles"))) > 0 ||
                json_count(json_get(settings, STR("default_roles"))) > 0;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), login);
    if (is_new) {
        str name = json_text(json_get(claims, STR("name")));
        json_member_text(&body.writer, STR("name"),
                         name.size > 0 && name.size <= 100 ? name : login);
        json_member_text(&body.writer, STR("subject"), subject);
        json_member_bool(&body.writer, STR("deleted"), false);
        json_member_bool(&body.writer, STR("disabled"), false);
    }
    bool has_role =
        (maps || is_new) &&
        put_roles(request, settings, json_get(claims, provider->roles_claim), &body.writer);
    str text = command_body_end(&body);
    if (!has_role && (maps || is_new))
        error = problem_set(problem, ERR_FORBIDDEN,
                            "nothing that the provider says of you gives a role");
    else if (maps || is_new)
        error = answer_command(request, "user.put", text, &response, problem);
    command_body_deinit(&body);
    return error;
}

static err find_or_make(struct request *request, const struct provider *provider, json_value claims,
                        str *login, struct problem *problem)
{
    str subject = STR_NONE;
    err error =
        arena_printf(&request->arena, &subject, STR_FMT " " STR_FMT, STR_ARG(provider->issuer),
                     STR_ARG(json_text(json_get(claims, STR("sub")))));
    if (error != ERR_OK)
        return error;
    const struct user *user = user_by_subject(request->actor.set, subject);
    if (user != NULL) {
        *login = user->login;
        return user->disabled
                   ? problem_set(problem, ERR_FORBIDDEN, "this user is disabled")
                   : put_user(request, provider, claims, *login, subject, false, problem);
    }
    *login = json_text(json_get(claims, provider->login_claim));
    if (!provider->makes_users)
        return problem_set(problem, ERR_FORBIDDEN, "nobody here is tied to this account");
    if (login->size == 0 || login->size > 100)
        return problem_set(problem, ERR_FORBIDDEN, "the provider does not say your " STR_FMT,
                           STR_ARG(provider->login_claim));
    const struct user *other = access_user_by_login(request->actor.set, *login);
    if (other != NULL && !other->settings.is_deleted) {
        problem_set(problem, ERR_CONFLICT, "somebody has this login already");
        return problem_hint(problem, ERR_CONFLICT,
                            "who administers users can tie the two together");
    }
    return put_user(request, provider, claims, *login, subject, true, problem);
}

static err begin_session(struct request *request, str login, struct problem *problem)
{
    struct access_set *fresh;
    err error = auth_hold(request->server, &fresh, problem);
    if (error != ERR_OK)
        return error;
    const struct user *user = access_user_by_login(fresh, login);
    error = user != NULL && !user->disabled
                ? people_begin_session(request, user, true, problem)
                : problem_set(problem, ERR_FORBIDDEN, "this user is disabled");
    access_set_release(&fresh);
    buffer_clear(&request->out);
    return error;
}

err route_single_sign_on_end(struct request *request, struct problem *problem)
{
    struct provider provider;
    struct flow flow;
    json_value claims;
    str id_token = STR_NONE, login, state = request_query(request, STR("state"));
    if (!read_flow(request, &flow) || state.size != flow.state.size ||
        sodium_memcmp(state.data, flow.state.data, state.size) != 0) {
        problem_set(problem, ERR_UNAUTHENTICATED,
                    "this sign-in did not begin here, or too long ago");
        return problem_hint(problem, ERR_UNAUTHENTICATED, "begin again");
    }
    if (request_query(request, STR("code")).size == 0)
        return problem_set(problem, ERR_UNAUTHENTICATED, "the provider did not sign you in");
    err error = read_provider(request, &provider, problem);
    if (error == ERR_OK)
        error = discover(request, &provider, problem);
    if (error == ERR_OK)
        error = redeem(request, &provider, &flow, &id_token, problem);
    if (error == ERR_OK)
        error = verify(request, &provider, &flow, id_token, &claims, problem);
    if (error == ERR_OK)
        error = find_or_make(request, &provider, claims, &login, problem);
    if (error == ERR_OK)
        error = begin_session(request, login, problem);
    if (error != ERR_OK)
        return error;
    request->location = STR("/");
    request->status = 302;
    return ERR_OK;
}

/* ---- setting it up ---- */

static void write_settings(struct request *request, json_value value)
{
    struct json_writer writer;
    struct json_iterator iterator = json_iterate(value);
    json_value member;
    str key;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    while (json_next(&iterator, &key, &member)) {
        if (str_equal(key, STR("client_secret")))
            continue;
        struct buffer text;
        buffer_init(&text, 65536);
        json_write_value(&text, member);
        if (buffer_status(&text) == ERR_OK)
            json_member_raw(&writer, key, buffer_str(&text));
        buffer_deinit(&text);
    }
    json_member_bool(&writer, STR("has_client_secret"),
                     json_text(json_get(value, STR("client_secret"))).size > 0);
    json_end_object(&writer);
}

err route_single_sign_on_get(struct request *request, struct problem *problem)
{
    json_value value;
    err error = access_rules_setting(request, STR(SETTING_SINGLE_SIGN_ON), &value, problem);
    if (error != ERR_OK)
        return error;
    if (!json_is_object(value))
        return no_provider(problem);
    write_settings(request, value);
    return ERR_OK;
}

/* Who maps a group to a role gives that role: she must hold all of it. */
static err check_mapped(struct request *request, json_value roles, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(roles);
    json_value role;
    while (json_next(&iterator, NULL, &role)) {
        struct permissions held;
        if (!access_role_permissions(request->actor.set, role_present_key(json_text(role)),
                                     &held)) {
            problem_set(problem, ERR_UNPROCESSABLE, "there is no role '%.*s'",
                        (int)str_utf8_prefix_bytes(json_text(role), 100), json_text(role).data);
            return problem_at(problem, ERR_UNPROCESSABLE, "/roles");
        }
        err error = people_check_within(request, &held, "this role has the permission", problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err check_settings(struct request *request, struct problem *problem)
{
    str issuer = json_text(json_get(request->json, STR("issuer")));
    str redirect = json_text(json_get(request->json, STR("redirect_uri")));
    struct json_iterator groups = json_iterate(json_get(request->json, STR("roles")));
    json_value roles;
    if (!url_is_good(issuer, issuer)) {
        problem_set(problem, ERR_UNPROCESSABLE, "the issuer is an https address");
        return problem_at(problem, ERR_UNPROCESSABLE, "/issuer");
    }
    if (json_text(json_get(request->json, STR("client_id"))).size == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "a client has an id");
        return problem_at(problem, ERR_UNPROCESSABLE, "/client_id");
    }
    if (!str_ends_with(redirect, STR(API "/session/single-sign-on/callback"))) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "redirect_uri ends with " API "/session/single-sign-on/callback");
        return problem_at(problem, ERR_UNPROCESSABLE, "/redirect_uri");
    }
    err error = check_mapped(request, json_get(request->json, STR("default_roles")), problem);
    while (error == ERR_OK && json_next(&groups, NULL, &roles))
        error = check_mapped(request, roles, problem);
    return error;
}

err route_single_sign_on_put(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "name",   "issuer",       "client_id",   "redirect_uri",
                                           "scopes", "roles_claim",  "login_claim", "makes_users",
                                           "roles",  "default_roles" };
    json_value secret = json_get(request->json, STR("client_secret"));
    struct provider before = { .client_secret = STR_NONE };
    struct problem ignored;
    struct command_body body;
    str response, sealed = STR_NONE;
    err error = check_settings(request, problem);
    if (error == ERR_OK && json_kind(secret) == JSON_TEXT && json_text(secret).size > 0)
        error = keys_seal(request->server->keys, &request->arena, json_text(secret), &sealed);
    else if (error == ERR_OK && json_kind(secret) == JSON_MISSING &&
             read_provider(request, &before, &ignored) == ERR_OK)
        sealed = before.client_secret;
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), STR(SETTING_SINGLE_SIGN_ON));
    json_put_key(&body.writer, STR("value"));
    json_begin_object(&body.writer);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        command_body_copy(&body, request, members[i]);
    if (sealed.size > 0)
        json_member_text(&body.writer, STR("client_secret"), sealed);
    json_end_object(&body.writer);
    error = answer_command(request, "setting.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? route_single_sign_on_get(request, problem) : error;
}

/* How one may sign in here: for the page that asks. */
err route_session_methods(struct request *request, struct problem *problem)
{
    json_value value;
    struct json_writer writer;
    err error = access_rules_setting(request, STR(SETTING_SINGLE_SIGN_ON), &value, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_bool(&writer, STR("password"), true);
    json_put_key(&writer, STR("single_sign_on"));
    if (json_is_object(value))
        json_put_text(&writer,
                      text_or(value, STR("name"), json_text(json_get(value, STR("issuer")))));
    else
        json_put_null(&writer);
    json_end_object(&writer);
    return ERR_OK;
}
