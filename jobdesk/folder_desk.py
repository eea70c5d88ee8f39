"""What a desk does with drop folders: those of the settings, and those added, changed and removed meanwhile."""

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobdesk.core import names
from jobdesk.core.errors import JobdeskError, NotFound, Refused, UsageError
from jobdesk.core.nearest import nearest
from jobdesk.core.text import clean
from jobdesk.core.who import user
from jobdesk.ledger.database import Ledger
from jobdesk.settings import Settings

if TYPE_CHECKING:
    from jobdesk.flows.definition import Definition
    from jobdesk.folders.explain import Explanation
    from jobdesk.folders.rejected import Refused as RefusedFile
    from jobdesk.folders.rules import FolderRule
    from jobdesk.home import Home
    from jobdesk.ledger.audit import Deed
    from jobdesk.plugins import Registry
    from jobdesk.sections import Config
    from jobdesk.vault import Vault


class FolderDesk:
    """The methods of `Desk` about drop folders. A folder is known by its path as `folder_rules` has it."""

    ledger: Ledger
    settings: Settings
    home: "Home"

    if TYPE_CHECKING:

        @property
        def config(self) -> Config: ...

        @property
        def registry(self) -> Registry: ...

        @property
        def vault(self) -> Vault: ...

        def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> Deed: ...

        def must_change(self) -> None: ...

        def named_flow(self, name: str) -> Definition | None: ...

    def folder_rules(self) -> "list[FolderRule]":
        """The drop folders of the settings, and those that were added."""
        from jobdesk import folder_rules
        from jobdesk.ledger import dropped

        found = {rule.path: rule for rule in folder_rules.rules(self.config.folders, self.home.path)}
        for path, said in dropped.added(self.ledger).items():
            try:
                rule = folder_rules.rule(_checked(path, said), self.home.path)
            except JobdeskError as error:  # a user who is gone, or another version wrote it
                logging.getLogger("jobdesk").error("the drop folder %s is left alone: %s", path, error)
                continue
            found.setdefault(rule.path, rule)
        return list(found.values())

    def is_added_folder(self, path: Path) -> bool:
        """Whether this folder was added, and is not one of the settings."""
        from jobdesk.ledger import dropped

        return str(path) in dropped.added(self.ledger) and not self._of_settings(path)

    def add_folder(self, path: str | Path, pipeline: str, **more: Any) -> "FolderRule":
        """Have a folder watched from now on, by whichever consumer works; it is made if it is not there.

        Args:
            more: as a table of [[folders]] says it: patterns, settle, source, data …

        Raises:
            UsageError: an option is wrong, or nothing has the name of the pipeline.
            Refused: it is a drop folder already, or the folder cannot be made.
        """
        from jobdesk.ledger import dropped

        self.must_change()
        place = self._place(path)
        self._check_place(place)
        said = self._sealed_folder(place, {"pipeline": pipeline, **more})
        made = self._rule(place, said)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"{place} cannot be made ({error.strerror}): make it, or choose another folder") from None
        with self.deed("add", target=f"folder {place}").writing() as tx:
            if not dropped.add(tx, str(place), said, user()):
                raise Refused(f"{place} is a drop folder already: change it with `jobdesk folders set`")
        return made

    def set_folder(self, path: str | Path, **changes: Any) -> "FolderRule":
        """Say something else of a folder that was added; None takes back what was said.

        Raises:
            NotFound: it was not added.
            Refused: it is one of the settings.
            UsageError: an option is wrong.
        """
        from jobdesk.ledger import dropped

        place = self._added(path)
        said = {**dropped.added(self.ledger)[str(place)], **changes}
        said = self._sealed_folder(place, {key: value for key, value in said.items() if value is not None})
        made = self._rule(place, said)
        with self.deed("set", target=f"folder {place}").writing() as tx:
            dropped.change(tx, str(place), said)
        return made

    def added_folder(self, path: str | Path) -> "FolderRule":
        """The rule of a folder that was added. Raises as `set_folder`."""
        from jobdesk.ledger import dropped

        place = self._added(path)
        return self._rule(place, dropped.added(self.ledger)[str(place)])

    def remove_folder(self, path: str | Path) -> Path:
        """Watch a folder that was added no more; its files stay, and what was taken in comes to its end. Its path.

        Raises:
            NotFound: it was not added.
            Refused: it is one of the settings.
        """
        from jobdesk.ledger import dropped

        place = self._added(path)
        with self.deed("remove", target=f"folder {place}").writing() as tx:
            dropped.remove(tx, str(place))
        return place

    def explain_file(self, file: Path) -> "list[tuple[FolderRule, Explanation]]":
        """What each drop folder would make of a file, changing nothing; only those it lies in, if there are any."""
        from jobdesk.folders.explain import explain
        from jobdesk.ledger import dropped

        rules = self.folder_rules()
        parents = {os.path.realpath(parent) for parent in file.parents}
        around = [rule for rule in rules if os.path.realpath(rule.path) in parents]
        found = []
        for rule in around or rules:
            known = dropped.hashes(self.ledger, str(rule.path)) if rule.duplicates == "skip" else frozenset()
            kept = dropped.kept(self.ledger, str(rule.path)) if rule.source == "keep" else {}
            apart = frozenset(os.fsencode(os.path.realpath(one.path)) for one in rules if one != rule)
            misfit = self._misfit(rule.pipeline, rule.data)
            found.append((rule, explain(rule, file, known, kept=kept, apart=apart, misfit=misfit)))
        return found

    def refused_files(self) -> "list[RefusedFile]":
        """The files that lie in the quarantine and in what drop folders rejected, the newest first."""
        from jobdesk.folders.rejected import refused

        return refused([rule.path for rule in self.folder_rules()], self.home.quarantine)

    def quarantined(self) -> "list[RefusedFile]":
        """All infected files that are kept apart, the newest first."""
        from jobdesk.folders import quarantine

        return quarantine.held(self.home.quarantine)

    def find_quarantined(self, name: str) -> "RefusedFile":
        """The infected file of this name, or whose name begins so.

        Raises:
            NotFound: there is none.
            Refused: there are several.
        """
        from jobdesk.folders import quarantine

        return quarantine.find(self.home.quarantine, name)

    def release_file(self, one: "RefusedFile", to: Path) -> Path:
        """Let an infected file out of the quarantine; where it lies then.

        Raises:
            Refused: something has that name, or it cannot be written.
        """
        from jobdesk.folders import quarantine

        with self.deed("release", target=f"file {one.file}").part(undoable=False) as part:
            target = quarantine.release(one, to)
            part.say(before={"path": one.lies}, after={"path": names.shown(os.fsencode(target))})
        return target

    def destroy_files(self, files: "Sequence[RefusedFile]") -> None:
        """Delete infected files, and what is said of them.

        Raises:
            Refused: one cannot be deleted.
        """
        from jobdesk.folders import quarantine

        for one in files:
            with self.deed("destroy", target=f"file {one.file}").part(undoable=False) as part:
                quarantine.destroy(one)
                part.say(before={"path": one.lies, "reason": one.message})

    def _place(self, path: str | Path) -> Path:
        return Path(path).expanduser().absolute()

    def _of_settings(self, place: Path) -> bool:
        return any(self.home.path / Path(own.path).expanduser() == place for own in self.config.folders)

    def _check_place(self, place: Path) -> None:
        if self._of_settings(place):
            raise Refused(f"{place} is a drop folder of the settings: change it in {self.settings.file}")
        if clean(str(place)) != str(place):
            said = names.shown(os.fsencode(place))
            raise UsageError(f"the path {said} is not UTF-8 and cannot be written down: choose another folder")
        if place == self.home.path or place in self.home.path.parents:
            raise UsageError(f"{place} holds the home: what lies there is not for jobs; choose a folder of its own")
        for rule in self.folder_rules():
            if rule.path.exists() and place.exists() and rule.path.samefile(place) and rule.path != place:
                raise Refused(f"{place} is the drop folder {rule.path} by another name")

    def _added(self, path: str | Path) -> Path:
        from jobdesk.ledger import dropped

        place, there = self._place(path), dropped.added(self.ledger)
        for one in (place, self.home.path / path):
            if str(one) in there:
                return one
            if self._of_settings(one):
                raise Refused(f"{one} is a drop folder of the settings: change it in {self.settings.file}")
        raise NotFound(f"{place} was not added{nearest(str(place), there)}: see `jobdesk folders list`")

    def shown_data(self, rule: "FolderRule") -> dict[str, Any]:
        """What a folder gives with each file, its secrets masked."""
        from jobdesk.core.redaction import shown
        from jobdesk.sealing import masked_data

        return dict(shown(masked_data(rule.data, self.declared(rule.pipeline))))

    def declared(self, name: str) -> Collection[str]:
        """Keys of the data of a flow or job type that go into secrets; none if nothing has that name."""
        from jobdesk import sealing

        return sealing.declared((flow.definition for flow in self.config.flows), self.registry.processors.get)(name)

    def _sealed_folder(self, place: Path, said: Mapping[str, Any]) -> dict[str, Any]:
        """What was said of a folder as it is stored. Raises as `set_folder`."""
        from jobdesk.sealing import data_of_folder, sealed_data, sealed_input

        rule = self._rule(place, said)
        data, pipeline, find = rule.data, rule.pipeline, self.registry.processors.get
        if not data:
            return dict(said)
        flow = self.named_flow(pipeline)

        def seal(values: Mapping[str, Any]) -> Mapping[str, Any]:
            if flow is not None:
                return sealed_input(flow, values, find, lambda: self.vault)
            processor = find(pipeline)
            if processor is None or not processor.secrets & values.keys():
                return values
            return dict(sealed_data(processor, values, self.vault, {}))

        return {**said, "data": data_of_folder(data, seal)}

    def _rule(self, place: Path, said: Mapping[str, Any]) -> "FolderRule":
        from jobdesk import folder_rules

        own = _checked(str(place), said)
        misfit = self._misfit(own.pipeline, own.data)
        if misfit is not None:
            raise UsageError(misfit)
        return folder_rules.rule(own, self.home.path)

    def _misfit(self, pipeline: str, data: Mapping[str, Any]) -> str | None:
        """Why no file can go to this flow or job type with this data, in a sentence; None if one can."""
        if self.named_flow(pipeline) is None and pipeline not in self.registry.processors:
            known = [flow.name for flow in self.config.flows] + list(self.registry.processors)
            like = nearest(pipeline, known)
            return f"no flow and no job type is named '{pipeline}'{like}: see `jobdesk processors list`"
        takes = self._taken_by(pipeline)
        if takes is None:
            return None
        wrong = next((key for key in data if key not in takes), None)
        if wrong is not None:
            return (
                f"{pipeline} has no parameter '{wrong}'{nearest(wrong, takes)}: say other data, or none "
                "(`jobdesk folders set --unset data`)"
            )
        if "source" not in takes:
            return f"{pipeline} takes no file: the path of each is given as 'source', and it has no such parameter"
        return None

    def _taken_by(self, pipeline: str) -> list[str] | None:
        """The keys that a flow or a job type can be given, in every spelling; None: any."""
        flow = self.named_flow(pipeline)
        if flow is not None:
            return None if flow.inputs is None else sorted(flow.inputs)
        fields = self.registry.processors[pipeline].payload.model_fields
        spelled = [field.validation_alias for field in fields.values() if field.validation_alias is not None]
        return [*fields, *(str(name) for one in spelled for name in getattr(one, "choices", [one]))]


def _checked(path: str, said: Mapping[str, Any]) -> Any:
    from pydantic import ValidationError

    from jobdesk.sections.folders import FolderSettings

    try:
        return FolderSettings.model_validate({"path": path, **said})
    except ValidationError as error:
        told = []
        for item in error.errors(include_url=False):
            key = str(item["loc"][0])
            what = item["msg"].removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                what = f"it is not a key of a drop folder{nearest(key, FolderSettings.model_fields)}"
            told.append(f"'{key}': {what}")
        raise UsageError(f"drop folder {path}: {'; '.join(told)}") from None
