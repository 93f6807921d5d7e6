#include "pool/transport/libgit2_session.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>

#include <unistd.h>

#include <fmt/format.h>
#include <git2/sys/repository.h>

#include "pool/git/libgit2_handle.h"
#include "pool/git/loose_objects.h"
#include "pool/transport/connectivity.h"
#include "pool/transport/credentials.h"
#include "pool/transport/git_messages.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

using Repository = Libgit2Handle<git_repository, git_repository_free>;
using Remote = Libgit2Handle<git_remote, git_remote_free>;
using Config = Libgit2Handle<git_config, git_config_free>;
using Refspec = Libgit2Handle<git_refspec, git_refspec_free>;

std::string last_words() {
    const git_error* error = git_error_last();
    return error && error->message ? error->message : "unknown error";
}

void set_up_library(const TransportLimits& limits) {
    git_libgit2_init();
    for (int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, nullptr);  // helpers, proxies and known_hosts are the user's
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, limits.objects);
#ifdef CULTIVAR_PACK_MAX_OBJECT_SIZE
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, limits.object_bytes);
#endif
}

std::string hex(const git_oid& oid) {
    char text[41] = {};
    git_oid_tostr(text, sizeof text, &oid);
    return text;
}

// The folder of a remote that is no server; "" for any other.
std::string plain_path(const std::string& url) {
    std::string path = url.starts_with("file://") ? url.substr(7) : url;
    std::error_code ec;
    return path.find("://") == std::string::npos && std::filesystem::is_directory(path, ec) ? path : "";
}

bool is_shallow(const std::string& path) {
    Repository there;
    return !path.empty() &&
           git_repository_open_ext(there.out(), path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) == 0 &&
           git_repository_is_shallow(there.get()) == 1;
}

// libgit2 writes into a plain path itself and runs no hook there; to pass by those that decide is not ours to do.
bool has_deciding_hooks(const std::string& path) {
    Repository there;
    if (path.empty() || git_repository_open_ext(there.out(), path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0)
        return false;
    Config config;
    const char* folder = nullptr;
    std::string hooks = std::string(git_repository_commondir(there.get())) + "hooks";
    if (git_repository_config_snapshot(config.out(), there.get()) == 0 &&
        git_config_get_string(&folder, config.get(), "core.hooksPath") == 0)
        hooks = folder;
    for (const char* name : {"pre-receive", "update", "proc-receive", "reference-transaction"})
        if (::access((hooks + "/" + name).c_str(), X_OK) == 0) return true;
    return false;
}

}  // namespace

// The connection, and the state of its callbacks.
class Libgit2Session::Line {
public:
    explicit Line(const Libgit2Session& talk) : talk_(talk) {
        git_remote_connect_options_init(&connect_, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
        git_fetch_options_init(&fetch_, GIT_FETCH_OPTIONS_VERSION);
        git_push_options_init(&push_, GIT_PUSH_OPTIONS_VERSION);
        for (auto* callbacks : {&connect_.callbacks, &fetch_.callbacks, &push_.callbacks}) fill(*callbacks);
        for (auto* proxy : {&connect_.proxy_opts, &fetch_.proxy_opts, &push_.proxy_opts}) proxy->type = GIT_PROXY_AUTO;
        connect_.follow_redirects = fetch_.follow_redirects = push_.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
        fetch_.prune = GIT_FETCH_NO_PRUNE;
        fetch_.update_fetchhead = 0;
        fetch_.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    }

    Result<void> connect(git_direction direction) {
        set_up_library(talk_.limits_);
        TRY(open_repository());
        find_url(direction);
        if (direction == GIT_DIRECTION_FETCH && is_shallow(plain_path(url_))) return shallow_remote(talk_.remote_);
        TRY(settle_credentials());
        git_remote_create_options options;
        git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION);
        options.repository = repo_.get();
        options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
        if (git_remote_create_with_opts(remote_.out(), url_.c_str(), &options) != 0 ||
            git_remote_connect_ext(remote_.get(), direction, &connect_) != 0)
            return unreachable();
        return {};
    }

    // Without the targets of tags ("NAME^{}"), which are no refs.
    Result<std::vector<const git_remote_head*>> heads() {
        const git_remote_head** found = nullptr;
        std::size_t count = 0;
        if (git_remote_ls(&found, &count, remote_.get()) != 0) return unreachable();
        std::vector<const git_remote_head*> refs(found, found + count);
        std::erase_if(refs, [](const git_remote_head* head) { return std::string_view(head->name).ends_with("^{}"); });
        return refs;
    }

    Result<void> download(const std::vector<std::string>& refspecs) {
        if (git_remote_download(remote_.get(), words(refspecs).get(), &fetch_) != 0) return unreachable();
        return {};
    }
    Result<void> upload(const std::vector<std::string>& refspecs) {
        if (git_remote_upload(remote_.get(), words(refspecs).get(), &push_) != 0) return unreachable();
        return {};
    }

    git_repository* repo() const { return repo_.get(); }
    const std::string& url() const { return url_; }
    const std::map<std::string, std::string>& answers() const { return answers_; }  // remote ref -> why not, or ""

private:
    // A list of strings as libgit2 takes it.
    class Words {
    public:
        explicit Words(const std::vector<std::string>& words) {
            for (const std::string& word : words) pointers_.push_back(const_cast<char*>(word.c_str()));
            array_ = {pointers_.data(), pointers_.size()};
        }
        const git_strarray* get() const { return &array_; }

    private:
        std::vector<char*> pointers_;
        git_strarray array_{};
    };
    static Words words(const std::vector<std::string>& list) { return Words(list); }

    tl::unexpected<Error> unreachable() const {
        if (trouble_) return fail(*trouble_);
        std::string why = last_words();
        std::string hint;
        if (credentials_ && credentials_->trouble()) {
            why = credentials_->trouble()->message;
            hint = credentials_->trouble()->hint;
        } else if (why.find("unsupported URL protocol") != std::string::npos ||
                   why.find("failed to resolve path") != std::string::npos) {
            why = fmt::format("'{}' does not appear to be a git repository", url_);
        }
        if (tells_out_of_memory(why)) return fail(out_of_memory(talk_.limits_.memory_bytes));
        return fail(Code::git, fmt::format("cannot reach '{}': {}", talk_.remote_, why), hint, reason_of(why));
    }

    // Without a git_dir, one in memory: libgit2 1.5 crashes over http in none at all.
    Result<void> open_repository() {
        const bool opened = talk_.git_dir_.empty()
                                ? git_config_open_default(config_.out()) == 0 && git_repository_new(repo_.out()) == 0 &&
                                      git_repository_set_config(repo_.get(), config_.get()) == 0
                                : git_repository_open(repo_.out(), talk_.git_dir_.c_str()) == 0 &&
                                      git_repository_config(config_.out(), repo_.get()) == 0;
        if (!opened) return fail(Code::git, fmt::format("cannot open '{}': {}", talk_.git_dir_, last_words()));
        return talk_.git_dir_.empty() ? Result<void>() : read_loose_objects(repo_.get());
    }

    void find_url(git_direction direction) {
        Remote named;
        url_ = talk_.remote_;
        if (git_remote_lookup(named.out(), repo_.get(), talk_.remote_.c_str()) != 0) return;
        const char* push_url = git_remote_pushurl(named.get());
        url_ = direction == GIT_DIRECTION_PUSH && push_url ? push_url : git_remote_url(named.get());
    }

    Result<void> settle_credentials() {
        Config config;
        if (git_config_snapshot(config.out(), config_.get()) != 0)
            return fail(Code::git, "cannot read git's configuration: " + last_words());
        std::optional<SshHost> ssh = plain_path(url_).empty() ? parse_ssh_url(url_) : std::nullopt;
        if (ssh) {
            const char* command = std::getenv("GIT_SSH_COMMAND");
            if (!command && git_config_get_string(&command, config.get(), "core.sshCommand") != 0) command = "ssh";
            auto resolved = resolve(*ssh, command);
            if (!resolved) return fail(resolved.error());
            ssh = *resolved;
            url_ = ssh->url();
        }
        credentials_.emplace(url_, ssh, credential_helpers(config.get(), url_));
        return {};
    }

    int too_much(std::string what) {
        trouble_ = Error{Code::git, "stopped talking to the remote: it sent more than " + std::move(what), "",
                         Reason::too_large};
        return GIT_EUSER;
    }

    void fill(git_remote_callbacks& callbacks) {
        callbacks.payload = this;
        callbacks.credentials = [](git_credential** out, const char* url, const char* user, unsigned allowed,
                                   void* self) {
            return static_cast<Line*>(self)->credentials_->answer(out, url, user, allowed);
        };
        callbacks.certificate_check = [](git_cert* cert, int valid, const char* host, void* self) {
            return static_cast<Line*>(self)->credentials_->check_host(cert, valid != 0, host);
        };
        callbacks.transfer_progress = [](const git_indexer_progress* now, void* self) {
            return static_cast<Line*>(self)->received(*now);
        };
        callbacks.sideband_progress = [](const char*, int bytes, void* self) {
            return static_cast<Line*>(self)->heard(static_cast<std::size_t>(bytes));
        };
        callbacks.pack_progress = [](int, unsigned, unsigned, void* self) {
            static_cast<Line*>(self)->talk_.heartbeat_();
            return 0;
        };
        callbacks.push_transfer_progress = [](unsigned, unsigned, std::size_t, void* self) {
            static_cast<Line*>(self)->talk_.heartbeat_();
            return 0;
        };
        callbacks.push_update_reference = [](const char* name, const char* status, void* self) {
            static_cast<Line*>(self)->answers_[name] = status ? status : "";
            return 0;
        };
    }

    int received(const git_indexer_progress& now) {
        talk_.heartbeat_();
        if (static_cast<std::int64_t>(now.received_bytes) <= talk_.limits_.fetch_bytes) return 0;
        return too_much(fmt::format("{} bytes", talk_.limits_.fetch_bytes));
    }

    int heard(std::size_t bytes) {
        talk_.heartbeat_();
        message_bytes_ += bytes;
        if (message_bytes_ <= talk_.limits_.message_bytes) return 0;
        return too_much(fmt::format("{} bytes of messages", talk_.limits_.message_bytes));
    }

    const Libgit2Session& talk_;
    git_remote_connect_options connect_;
    git_fetch_options fetch_;
    git_push_options push_;
    std::optional<Credentials> credentials_;
    std::string url_;
    std::optional<Error> trouble_;
    std::size_t message_bytes_ = 0;
    std::map<std::string, std::string> answers_;
    Config config_;
    Repository repo_;
    Remote remote_;  // last: it uses the members above
};

namespace {

constexpr std::size_t kMostAtOnce = 1000;  // libgit2 compares each refspec with each ref of the remote

std::string not_offered(const std::string& remote, std::string_view source) {
    return fmt::format("cannot reach '{}': couldn't find remote ref {}", remote, source);
}

// Has "<object>:<ref>" become "<one of the remote's names for it>:<ref>"? Libgit2 knows names alone.
bool name_object(std::string& refspec, const std::vector<const git_remote_head*>& heads) {
    constexpr std::size_t kDigits = 40;
    if (refspec.size() <= kDigits || refspec[kDigits] != ':' || !is_hex(refspec.substr(0, kDigits), kDigits))
        return true;
    const auto head = std::ranges::find_if(heads, [&](const git_remote_head* one) {
        return git_oid_streq(&one->oid, refspec.substr(0, kDigits).c_str()) == 0;
    });
    if (head == heads.end()) return false;
    refspec.replace(0, kDigits, (*head)->name);
    return true;
}

}  // namespace

Result<std::vector<FetchedRef>> Libgit2Session::fetch(const std::vector<std::string>& refspecs) {
    std::vector<FetchedRef> come;
    for (std::size_t done = 0; done < refspecs.size(); done += kMostAtOnce) {
        const auto begin = refspecs.begin() + static_cast<std::ptrdiff_t>(done);
        const auto count = static_cast<std::ptrdiff_t>(std::min(kMostAtOnce, refspecs.size() - done));
        TRY_ASSIGN(std::vector<FetchedRef> more, fetch_some({begin, begin + count}));
        std::ranges::move(more, std::back_inserter(come));
    }
    return come;
}

Result<std::vector<FetchedRef>> Libgit2Session::fetch_some(const std::vector<std::string>& refspecs) {
    Line line(*this);
    TRY(line.connect(GIT_DIRECTION_FETCH));
    TRY_ASSIGN(auto heads, line.heads());
    std::vector<FetchedRef> come;
    std::vector<std::string> by_name;
    for (const std::string& asked : refspecs) {
        std::string text = asked;
        if (!name_object(text, heads))
            return fail(Code::git, not_offered(remote_, asked.substr(0, asked.find(':'))), "", Reason::ref_missing);
        by_name.push_back(text);
        Refspec spec;
        if (git_refspec_parse(spec.out(), text.c_str(), 1) != 0) return fail(Code::git, last_words());
        bool any = false;
        for (const git_remote_head* head : heads) {
            if (!git_refspec_src_matches(spec.get(), head->name)) continue;
            any = true;
            Buffer local;
            const char* to = git_refspec_dst(spec.get());
            if (to && *to && git_refspec_transform(&local.buf, spec.get(), head->name) == 0)
                come.push_back({local.text(), hex(head->oid)});
        }
        if (!any && text.find('*') == std::string::npos)
            return fail(Code::git, not_offered(remote_, git_refspec_src(spec.get())), "", Reason::ref_missing);
    }
    TRY(line.download(by_name));
    std::vector<std::string> tips;
    for (const FetchedRef& ref : come) tips.push_back(ref.oid);
    if (!is_connected(line.repo(), tips, heartbeat_))
        return fail(Code::git, fmt::format("cannot reach '{}': it did not send all necessary objects", remote_));
    return come;
}

Result<std::vector<PushStatus>> Libgit2Session::push(const std::vector<PushItem>& items) {
    Line line(*this);
    TRY(line.connect(GIT_DIRECTION_PUSH));
    TRY_ASSIGN(auto heads, line.heads());
    std::map<std::string, git_oid> there;
    for (const git_remote_head* head : heads) there[head->name] = head->oid;
    const bool hooks = has_deciding_hooks(plain_path(line.url()));
    std::vector<PushStatus> statuses;
    std::vector<std::string> refspecs;
    for (const PushItem& item : items) {
        PushStatus& status = statuses.emplace_back(PushStatus{item.remote, false, false, ""});
        const bool deletes = item.local.empty();
        git_oid ours{};
        if (!deletes && git_reference_name_to_id(&ours, line.repo(), item.local.c_str()) != 0)
            return fail(Code::git, fmt::format("src refspec {} does not match any", item.local));
        auto theirs = there.find(item.remote);
        const bool absent = theirs == there.end();
        if (deletes ? absent : !absent && git_oid_equal(&ours, &theirs->second)) {  // nothing to do
            status.accepted = true;
        } else if (!deletes && theirs != there.end() &&
                   git_graph_descendant_of(line.repo(), &ours, &theirs->second) != 1) {
            Libgit2Handle<git_object, git_object_free> known;
            const bool have = git_object_lookup(known.out(), line.repo(), &theirs->second, GIT_OBJECT_ANY) == 0;
            status.reason = have ? "[rejected] (non-fast-forward)" : "[rejected] (fetch first)";
        } else if (hooks) {
            status.reason = "[rejected] (the hooks of a plain path need the git program; declined)";
        } else {
            refspecs.push_back(item.local + ":" + item.remote);
        }
    }
    if (refspecs.empty()) return statuses;
    TRY(line.upload(refspecs));
    for (PushStatus& status : statuses) {
        if (status.accepted || !status.reason.empty()) continue;
        auto answer = line.answers().find(status.remote);
        status.accepted = status.changed = answer != line.answers().end() && answer->second.empty();
        if (!status.accepted)
            status.reason = answer == line.answers().end() ? "[remote failure] (remote failed to report status)"
                                                           : fmt::format("[remote rejected] ({})", answer->second);
    }
    return statuses;
}

Result<RemoteRefs> Libgit2Session::list() {
    Line line(*this);
    TRY(line.connect(GIT_DIRECTION_FETCH));
    TRY_ASSIGN(auto heads, line.heads());
    RemoteRefs refs;
    for (const git_remote_head* head : heads) refs.emplace_back(head->name, hex(head->oid));
    return refs;
}

}  // namespace cultivar
