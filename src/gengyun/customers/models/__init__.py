from gengyun.customers.models.contact import Contact
from gengyun.customers.models.custom_field import CustomField, FieldValue
from gengyun.customers.models.customer import Customer, FieldChange, Tag
from gengyun.customers.models.exporting import ExportRun
from gengyun.customers.models.importing import ImportRun
from gengyun.customers.models.journey import Stage, StageProgress, StageStay
from gengyun.customers.models.merge import CustomerMerge, NotDuplicate
from gengyun.customers.models.tier import Tier, TierRule, TouchModel

__all__ = [
    "Contact",
    "CustomField",
    "Customer",
    "CustomerMerge",
    "ExportRun",
    "FieldChange",
    "FieldValue",
    "ImportRun",
    "NotDuplicate",
    "Stage",
    "StageProgress",
    "StageStay",
    "Tag",
    "Tier",
    "TierRule",
    "TouchModel",
]
