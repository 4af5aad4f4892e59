"""train"""
from app import state
state.page_head('train')
state.page_foot()
