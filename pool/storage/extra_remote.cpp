#include "pool/storage/extra_remote.h"

#include <algorithm>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::string_view kSection = "cultivar-source.";
constexpr std::string_view kRefs = "refs/sources/";

std::string key(const std::string& name, const char* field) { return fmt::format("{}{}.{}", kSection, name, field); }

bool is_pattern(const std::string& refs) {
    return refs.starts_with("refs/") && refs.find_first_of(" :+^~?[\\") == std::string::npos &&
           refs.find("..") == std::string::npos && std::count(refs.begin(), refs.end(), '*') <= 1;
}

}  // namespace

Result<std::vector<ExtraRemote>> extra_remotes(const Repo& repo) {
    TRY_ASSIGN(auto entries, repo.config_section(std::string(kSection)));
    std::vector<ExtraRemote> found;
    for (const auto& [name, value] : entries) {
        if (!name.ends_with(".url")) continue;
        const std::string which = name.substr(kSection.size(), name.size() - kSection.size() - 4);
        TRY_ASSIGN(std::optional<std::string> refs, repo.config(key(which, "refs")));
        found.push_back({which, value, refs.value_or("")});
    }
    std::sort(found.begin(), found.end(), [](const ExtraRemote& a, const ExtraRemote& b) { return a.name < b.name; });
    return found;
}

Result<void> add_extra_remote(Repo& repo, const ExtraRemote& source) {
    if (source.name.empty() || source.name.size() > 32 ||
        source.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
        return fail(Code::usage,
                    fmt::format("'{}' is no name for a source: lower-case letters, digits and '-'", source.name));
    if (!source.refs.empty() && !is_pattern(source.refs))
        return fail(Code::usage, fmt::format("'{}' is no pattern of refs", source.refs),
                    "cultivar source add NAME URL --refs 'refs/pull/*/head'");
    TRY_ASSIGN(std::vector<ExtraRemote> known, extra_remotes(repo));
    if (std::any_of(known.begin(), known.end(), [&](const ExtraRemote& one) { return one.name == source.name; }))
        return fail(Code::usage, fmt::format("there is a source '{}' already", source.name),
                    "cultivar source remove " + source.name);
    TRY(repo.set_config(key(source.name, "url"), source.url));
    return source.refs.empty() ? Result<void>() : repo.set_config(key(source.name, "refs"), source.refs);
}

Result<void> remove_extra_remote(Repo& repo, const std::string& name) {
    TRY_ASSIGN(std::vector<ExtraRemote> known, extra_remotes(repo));
    if (std::none_of(known.begin(), known.end(), [&](const ExtraRemote& one) { return one.name == name; }))
        return fail(Code::not_found, fmt::format("there is no source '{}'", name), "cultivar source list");
    for (const char* field : {"url", "refs"}) TRY(repo.unset_config(key(name, field)));
    TRY_ASSIGN(std::vector<Ref> refs, repo.refs(fmt::format("{}{}/", kRefs, name)));
    for (const Ref& ref : refs) TRY(repo.delete_ref(ref.name));
    return {};
}

std::vector<std::string> refspecs_of(const ExtraRemote& source) {
    const std::string into = fmt::format("{}{}/", kRefs, source.name);
    if (source.refs.empty())
        return {fmt::format("+refs/heads/candidates/*:{}candidates/*", into),
                fmt::format("+refs/heads/journal/*:{}journal/*", into)};
    const bool many = source.refs.find('*') != std::string::npos;
    return {fmt::format("+{}:{}bundle/{}", source.refs, into, many ? "*" : "head")};
}

std::string extra_remote_of_ref(const std::string& ref) {
    if (!ref.starts_with(kRefs)) return "";
    return ref.substr(kRefs.size(), ref.find('/', kRefs.size()) - kRefs.size());
}

}  // namespace cultivar
